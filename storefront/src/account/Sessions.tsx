import { Trans } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { mine, read } from "../api/client";
import { sessionsQuery } from "../api/queries";
import { dayAndClock } from "../i18n/format";
import { Problem } from "../ui/parts";

/** Where this person is signed in, and ending that. */
export function Sessions() {
  const client = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  const end = useMutation({
    mutationFn: (id: number) =>
      read(
        mine.DELETE("/account/sessions/{session_id}/", {
          params: { path: { session_id: String(id) } },
        }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
  });
  return (
    <section className="panel">
      <h2>
        <Trans>Where you are signed in</Trans>
      </h2>
      {sessions.isError && <Problem error={sessions.error} again={() => void sessions.refetch()} />}
      {end.error && <Problem error={end.error} />}
      <ul className="stack">
        {sessions.data?.map((each) => {
          const used = dayAndClock(each.last_used_at);
          return (
            <li className="between" key={each.id}>
              <span>
                {each.device || <Trans>A device we do not know</Trans>}
                <span className="quiet small">
                  {" "}
                  <Trans>last used {used}</Trans>
                </span>
              </span>
              {each.current ? (
                <span className="tag ok">
                  <Trans>This one</Trans>
                </span>
              ) : (
                <button
                  type="button"
                  className="as-link"
                  disabled={end.isPending}
                  onClick={() => end.mutate(each.id)}
                >
                  <Trans>Sign out there</Trans>
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
