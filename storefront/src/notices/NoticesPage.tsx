import "./notices.css";
import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link } from "react-router";
import { dataOf, userApi } from "../api/client";
import { meQuery } from "../api/queries";
import { Title } from "../app/Title";
import { clock, day } from "../i18n/format";
import { Empty, Problem } from "../ui/parts";
import { ShowMore } from "../ui/ShowMore";
import { type Notice, noticesQuery, placeOf } from "./queries";

/** The user's notifications, newest first. Showing them marks them as read; new ones stay highlighted
 *  until the page is opened again. */
export default function NoticesPage() {
  const { t } = useLingui();
  const list = useInfiniteQuery({
    ...noticesQuery,
    staleTime: 0,
    // Fetched again on the way back from another app, new ones would not be highlighted any more.
    refetchOnWindowFocus: false,
  });
  const notices = list.data?.pages.flatMap(({ items }) => items) ?? [];
  useRead(list.data?.pages[0]?.items ?? []);
  const days = byDay(notices);
  return (
    <div className="narrow">
      <Title text={t`Notifications`} />
      <h1>{t`Notifications`}</h1>
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending && (
        <div className="stack" aria-hidden="true">
          {[1, 2, 3].map((each) => (
            <div className="panel notice-row skeleton" key={each} />
          ))}
        </div>
      )}
      {list.isSuccess && notices.length === 0 && (
        <Empty title={<Trans>No notifications yet</Trans>}>
          <p className="quiet">
            <Trans>Updates about your orders and sales appear here.</Trans>
          </p>
          <Link className="button" to="/">
            <Trans>Browse products</Trans>
          </Link>
        </Empty>
      )}
      {days.map(([name, told]) => (
        <section key={name} className="notice-day" aria-label={name}>
          <h2>{name}</h2>
          <ul className="stack">
            {told.map((notice) => (
              <NoticeRow key={notice.id} notice={notice} />
            ))}
          </ul>
        </section>
      ))}
      <ShowMore of={list} />
    </div>
  );
}

/** The notices grouped by day, in their order. */
function byDay(notices: readonly Notice[]): [string, Notice[]][] {
  const days = new Map<string, Notice[]>();
  for (const notice of notices) {
    const name = day(notice.created_at);
    days.set(name, [...(days.get(name) ?? []), notice]);
  }
  return [...days];
}

/** Mark the shown notices as read: all up to the newest. Any that arrive later stay unread. */
function useRead(shown: readonly Notice[]): void {
  const client = useQueryClient();
  const { mutate } = useMutation({
    mutationFn: (up_to: number) => dataOf(userApi.POST("/notices/read/", { body: { up_to } })),
    onSuccess: ({ unread }) => {
      client.setQueryData(
        meQuery.queryKey,
        (me) => me && { ...me, counts: { ...me.counts, unread_notices: unread } },
      );
    },
  });
  const newest = shown[0]?.id;
  const isNew = shown.some((notice) => !notice.read);
  useEffect(() => {
    if (newest !== undefined && isNew) mutate(newest);
  }, [newest, isNew, mutate]);
}

function NoticeRow({ notice }: { notice: Notice }) {
  return (
    <li className={notice.read ? "panel notice-row" : "panel notice-row new"}>
      <h3>
        <Link to={placeOf(notice)}>{notice.title}</Link>
        {!notice.read && (
          <span className="tag">
            <Trans>New</Trans>
          </span>
        )}
      </h3>
      <p className="text">{notice.text}</p>
      <p className="quiet small">{clock(notice.created_at)}</p>
    </li>
  );
}
