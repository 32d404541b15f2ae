// Starts the page. The token leaves the address before anything else reads it.
import './arrival.js';
import {start} from './app.js';

start();
