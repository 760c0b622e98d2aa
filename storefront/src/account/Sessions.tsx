import { Trans } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { dataOf, userApi } from "../api/client";
import { sessionsQuery } from "../api/queries";
import { session } from "../api/session";
import { day, dayAndClock } from "../i18n/format";
import { ConfirmButton } from "../ui/ConfirmButton";
import { Problem } from "../ui/parts";

/** The devices the user is signed in on; each can be signed out, or all. */
export function Sessions() {
  const client = useQueryClient();
  const sessions = useQuery(sessionsQuery);
  const again = () => client.invalidateQueries({ queryKey: sessionsQuery.queryKey });
  const end = useMutation({
    mutationFn: (id: number) =>
      dataOf(
        userApi.DELETE("/account/sessions/{session_id}/", {
          params: { path: { session_id: id } },
        }),
      ),
    onSettled: again,
  });
  const endAll = useMutation({
    mutationFn: () => dataOf(userApi.POST("/account/sessions/end-all/")),
    // Including this one: the user is sent to sign in, and returns here.
    onSuccess: () => session.end(),
  });
  return (
    <section className="panel">
      <h2>
        <Trans>Signed-in devices</Trans>
      </h2>
      {sessions.isError && <Problem error={sessions.error} again={() => void sessions.refetch()} />}
      {end.error && <Problem error={end.error} />}
      {sessions.isPending && <div className="account-line skeleton" aria-hidden="true" />}
      <ul className="sessions" aria-live="polite">
        {sessions.data?.map((each) => {
          const used = dayAndClock(each.last_used_at);
          const since = day(each.started_at);
          const { address, device } = each;
          return (
            <li className="between" key={each.id}>
              <span>
                {device || <Trans>Unknown device</Trans>}
                {each.kind === "admin" && (
                  <>
                    {" "}
                    <span className="tag">
                      <Trans>admin site</Trans>
                    </span>
                  </>
                )}
                <span className="quiet small">
                  <Trans>
                    last used {used}, signed in {since}
                  </Trans>
                  {address && (
                    <>
                      {" "}
                      <Trans>from {address}</Trans>
                    </>
                  )}
                </span>
              </span>
              {each.current ? (
                <span className="tag ok">
                  <Trans>This device</Trans>
                </span>
              ) : (
                <button
                  type="button"
                  className="as-link"
                  disabled={end.isPending}
                  onClick={() => end.mutate(each.id)}
                >
                  <Trans>Sign out this device</Trans>
                  <span className="hidden"> ({device})</span>
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {(sessions.data?.length ?? 0) > 1 && (
        <div className="end-all">
          <ConfirmButton
            label={<Trans>Sign out everywhere</Trans>}
            warning={<Trans>This signs you out on every device, including this one.</Trans>}
            confirm={<Trans>Yes, sign out everywhere</Trans>}
            isBusy={endAll.isPending}
            error={endAll.error}
            onConfirm={() => endAll.mutate()}
          />
        </div>
      )}
    </section>
  );
}
