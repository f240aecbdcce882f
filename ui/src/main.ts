// The interface begins here.

import { mount } from 'svelte';
import App from './App.svelte';
import './styles/tokens.css';
import './styles/more.css';
import './styles/base.css';

if (import.meta.env.DEV && location.pathname === '/components') {
  // Every part on one page, for work on them; a build has neither.
  void import('./parts/Components.svelte').then(({ default: Components }) => mount(Components, { target: document.body }));
} else {
  mount(App, { target: document.body });
}
