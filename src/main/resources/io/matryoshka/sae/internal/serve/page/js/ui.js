// The library of the page in one place: Preact with its hooks, and htm for markup in templates.
import {h, render, Fragment} from '../assets/preact-11.2.0.js';
import htm from '../assets/htm-3.1.1.js';

export {h, render, Fragment};
export {
  useCallback, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useRef, useState,
} from '../assets/preact-hooks-11.2.0.js';

export const html = htm.bind(h);
