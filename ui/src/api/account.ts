import { api, body, done } from './client';
import { useApiMutation } from './mutations';
import type { components } from './schema';

/** The admin's own account: calls and types of the pages that manage it. */
type Schemas = components['schemas'];
export type Account = Schemas['Me'];
export type Session = Schemas['SessionView'];
export type TwoFactorStatus = Schemas['TwoFactorStatus'];
export type TwoFactorSetup = Schemas['TwoFactorSetup'];

export const useChangeAccount = () =>
  useApiMutation(['account'], (input: Schemas['MeIn']) => body(api.PATCH('/api/v1/auth/me', { body: input })));

/** Makes a secret that waits until a code of it was verified; the old one stays until then. */
export const useStartTwoFactor = () =>
  useApiMutation([], (password: string) => body(api.POST('/api/v1/auth/2fa/setup', { body: { password } })));

export const useVerifyTwoFactor = () =>
  useApiMutation(['account'], (code: string) => body(api.POST('/api/v1/auth/2fa/verify-setup', { body: { code } })));

export const useDisableTwoFactor = () =>
  useApiMutation(['account'], (input: { password: string; code: string; is_recovery: boolean }) =>
    done(api.POST('/api/v1/auth/2fa/disable', { body: input })),
  );

export const useNewRecoveryCodes = () =>
  useApiMutation(['account'], (input: { password: string; code: string }) =>
    body(api.POST('/api/v1/auth/2fa/regenerate-recovery', { body: input })),
  );

export const useEndSession = () =>
  useApiMutation(['account'], (id: string) =>
    done(api.DELETE('/api/v1/auth/sessions/{id}', { params: { path: { id } } })),
  );

export const useEndOtherSessions = () => useApiMutation(['account'], () => done(api.DELETE('/api/v1/auth/sessions')));
