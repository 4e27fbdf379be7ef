// The entry of the console.

import { mount } from 'svelte'
import './app.css'
import App from './App.svelte'
import { apply } from './lib/theme.svelte.ts'

apply()
mount(App, { target: document.getElementById('app')! })
