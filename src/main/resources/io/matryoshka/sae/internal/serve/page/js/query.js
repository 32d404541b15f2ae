// Answers of the server as Preact hooks: asked for when they are needed, kept, cancelled when nobody looks.
import {call, connectionNow, get, onConnection} from './api.js';
import {useLayoutEffect, useRef, useState} from './ui.js';

const KEPT = 60;
const kept = new Map();
const listeners = new Set();
let epoch = 0;

function keep(key, answer) {
  kept.delete(key);
  kept.set(key, answer);
  if (kept.size > KEPT) {
    kept.delete(kept.keys().next().value);
  }
}

/** Makes every view ask again, and shows the old answers until the new ones are there. */
export function forget() {
  kept.clear();
  epoch++;
  listeners.forEach(listener => listener(epoch));
}

onConnection(now => now === 'back' && forget());

/** Counts how often all answers were forgotten. */
export function useEpoch() {
  const [seen, setSeen] = useState(epoch);
  useLayoutEffect(() => {
    listeners.add(setSeen);
    setSeen(epoch);
    return () => listeners.delete(setSeen);
  }, []);
  return seen;
}

export function useConnection() {
  const [seen, setSeen] = useState(connectionNow());
  useLayoutEffect(() => {
    setSeen(connectionNow());
    return onConnection(setSeen);
  }, []);
  return seen;
}

/** A value that follows another once that has been still for some milliseconds. */
export function useSettled(value, millis) {
  const [settled, setSettled] = useState(value);
  // Not useEffect: a timer that is due would run before that stops it.
  useLayoutEffect(() => {
    const timer = setTimeout(() => setSettled(value), millis);
    return () => clearTimeout(timer);
  }, [value, millis]);
  return settled;
}

/**
 * The answer of a call; nothing is asked while `request` is null. `data` is that of the last answer
 * until the next is there, which `loading` tells; `request` is the one that `data` answers.
 */
export function useCall(method, path, request) {
  const now = useEpoch();
  const key = request === null ? null : JSON.stringify([path, request]);
  const [attempt, setAttempt] = useState(0);
  const [result, setResult] = useState({key: null, error: null});
  const last = useRef({data: null, request: null});
  const has = key !== null && kept.has(key); // Answers to others may push it out while it is shown.
  useLayoutEffect(() => {
    if (key === null || has) {
      return undefined;
    }
    const control = new AbortController();
    setResult({key: null, error: null});
    (method === 'GET' ? get(path, request, control.signal) : call(method, path, request, control.signal))
      .then(answer => {
        keep(key, answer);
        setResult({key, error: null});
      })
      .catch(error => {
        if (error.name !== 'AbortError') {
          setResult({key, error});
        }
      });
    return () => control.abort();
  }, [key, now, attempt, has]);
  if (has) {
    last.current = {data: kept.get(key), request};
  }
  const error = result.key === key && !has ? result.error : null;
  return {
    ...last.current,
    error,
    loading: key !== null && !has && error === null,
    retry: () => setAttempt(attempt + 1),
  };
}
