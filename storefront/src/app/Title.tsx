/** The page's title. React places it before the one rendered by the server, so it counts. */
export function Title({ text, plain = false }: { text: string; plain?: boolean }) {
  return <title>{plain ? text : `${text} · O-Mache`}</title>;
}
