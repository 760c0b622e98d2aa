/** Where to go after signing in: a page of this shop and nothing else. */
export function ownPath(to: string | null): string {
  if (!to?.startsWith("/") || /^\/[/\\]/.test(to) || to.startsWith("/sign-in")) return "/";
  return to;
}

/** Pages that nobody is taken back to once they have signed in. */
const LEFT_BEHIND = /^\/(?:password|email|account)\//;

/** Where to sign in from a page, and come back to it. */
export function signInFrom({ pathname, search }: { pathname: string; search: string }): string {
  if (pathname === "/sign-in" || pathname === "/join") return `/sign-in${search}`;
  if (pathname === "/" || LEFT_BEHIND.test(pathname)) return "/sign-in";
  return `/sign-in?to=${encodeURIComponent(pathname + search)}`;
}
