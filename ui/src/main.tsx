import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createQueryClient } from './api/query-client';
import { Boot } from './app/boot';
import { guardRestored } from './app/restored';
import { router } from './app/routes';
import './styles/index.css';

const root = document.getElementById('root');
if (!root) throw new Error('root element is missing');
guardRestored();
createRoot(root).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={createQueryClient()}>
        <Boot>
          <RouterProvider router={router} />
        </Boot>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
