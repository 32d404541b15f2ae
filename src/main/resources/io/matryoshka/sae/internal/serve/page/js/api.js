// Calls of the server, as docs/serve-api.md describes them.

const TOKEN = 'matryoshka-token';
const RETRY_MILLIS = 1500;

/** An answer that is no result: `code` and `message` as the server gives them. */
class ApiError extends Error {
  constructor(status, {code, message, limit, given}, retryAfter = 0) {
    super(message);
    Object.assign(this, {status, code, limit, given, retryAfter});
  }

  /** Whether the call may succeed later without a change. */
  get away() {
    return this.code === 'unreachable' || this.code === 'stopping';
  }
}

const watchers = new Set();
let connection = 'ok';
let knocking = false;

/** 'ok', 'lost', 'back' (after a loss) or 'token'. */
export const connectionNow = () => connection;

export function onConnection(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function setConnection(next) {
  if (next !== connection) {
    connection = next;
    watchers.forEach(watcher => watcher(next));
  }
  if (next === 'lost' && !knocking) {
    knocking = true;
    setTimeout(knock, RETRY_MILLIS);
  }
}

/** Asks a lost server again until it answers. */
async function knock() {
  let answer = null;
  try {
    await request('GET', '/api/state');
  } catch (error) {
    answer = error;
  }
  if (answer?.away) {
    setTimeout(knock, RETRY_MILLIS);
    return;
  }
  knocking = false;
  if (answer?.code === 'token_needed') {
    setConnection('token');
    return;
  }
  setConnection('back');
  setTimeout(() => connection === 'back' && setConnection('ok'), 3000);
}

/** Takes the token out of the address, where a server with --host puts it. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has('token')) {
    sessionStorage.setItem(TOKEN, given.get('token'));
    given.delete('token');
    history.replaceState(null, '', '#' + given);
  }
}

/** Keeps a token that a person typed, or the printed address around it. */
export function useToken(typed) {
  const inAddress = /[#&]token=([^&\s]+)/.exec(typed);
  sessionStorage.setItem(TOKEN, inAddress ? decodeURIComponent(inAddress[1]) : typed.trim());
  setConnection('back');
  setTimeout(() => connection === 'back' && setConnection('ok'), 0);
}

function headers(body) {
  const token = sessionStorage.getItem(TOKEN);
  return {
    'X-Matryoshka': '1',
    ...(body === undefined ? {} : {'Content-Type': 'application/json'}),
    ...(token ? {Authorization: `Bearer ${token}`} : {}),
  };
}

async function errorOf(response) {
  const retryAfter = Number(response.headers.get('Retry-After')) || 1;
  try {
    return new ApiError(response.status, (await response.json()).error, retryAfter);
  } catch {
    const message = `the server answered with status ${response.status}`;
    return new ApiError(response.status, {code: 'failed', message}, retryAfter);
  }
}

async function request(method, path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method, signal, headers: headers(body), cache: 'no-store',
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') {
      throw error;
    }
    throw new ApiError(0, {code: 'unreachable', message: 'the server does not answer'});
  }
  if (!response.ok) {
    throw await errorOf(response);
  }
  return response;
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('aborted', 'AbortError'));
    }, {once: true});
  });
}

/** Sends a call. Waits while the server's queue is full; tells the page when the server is away. */
export async function send(method, path, body, signal) {
  for (;;) {
    try {
      return await request(method, path, body, signal);
    } catch (error) {
      if (error.code === 'too_many_calls') {
        await pause(error.retryAfter, signal);
        continue;
      }
      if (error.away) {
        setConnection('lost');
      } else if (error.code === 'token_needed') {
        setConnection('token');
      }
      throw error;
    }
  }
}

export async function call(method, path, body, signal) {
  return (await send(method, path, body, signal)).json();
}

export function get(path, query, signal) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== '');
  return call('GET', given.length ? `${path}?${new URLSearchParams(given)}` : path, undefined, signal);
}

/** Sends a call whose answer has one JSON object a line; gives each to `onLine` as it comes. */
export async function stream(path, body, onLine, signal) {
  const response = await send('POST', path, body, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let whole = false;
  const take = line => {
    const read = JSON.parse(line);
    whole = whole || read.done === true;
    if (read.error) {
      throw new ApiError(200, read.error);
    }
    onLine(read);
  };
  for (;;) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      if (error.name === 'AbortError') {
        throw error;
      }
      break;
    }
    if (part.done) {
      break;
    }
    const lines = (rest + part.value).split('\n');
    rest = lines.pop();
    lines.filter(Boolean).forEach(take);
  }
  if (!whole) {
    setConnection('lost');
    throw new ApiError(0, {code: 'cut', message: 'the answer broke off before its end'});
  }
}
