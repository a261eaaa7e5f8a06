import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { authPaths } from '@/lib/paths';
import '../styles/index.css';
import { Login } from './login';
import { Setup } from './setup';

/** Own small bundle: no router, no query cache, no shell. */
const root = document.getElementById('root');
if (!root) throw new Error('root element is missing');

// The one-time code must not stay in the address bar, where it would be shared, bookmarked or photographed.
const code = new URLSearchParams(location.hash.slice(1)).get('code') ?? '';
if (code) history.replaceState(null, '', location.pathname + location.search);

createRoot(root).render(
  <StrictMode>{location.pathname === authPaths.setup ? <Setup code={code} /> : <Login />}</StrictMode>,
);
