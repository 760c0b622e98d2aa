/** The page's title; React puts it before the one that the server wrote. */
export function Title({ text, plain = false }: { text: string; plain?: boolean }) {
  return <title>{plain ? text : `${text} · O-Mache`}</title>;
}
