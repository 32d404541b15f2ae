// Runs before all other modules.
import {takeToken} from './api.js';

takeToken();
