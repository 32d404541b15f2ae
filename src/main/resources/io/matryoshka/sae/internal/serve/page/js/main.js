// Starts the page: the frame around the views, and what the server says of itself.
import {takeToken} from './api.js';
takeToken();
const {start} = await import('./app.js');
start();
