import { Trans } from "@lingui/react/macro";

/** The button that loads the next page of a list; nothing on the last one. */
export function ShowMore({
  of: list,
}: {
  of: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  if (!list.hasNextPage) return null;
  return (
    <div className="more">
      <button
        type="button"
        className="button plain"
        disabled={list.isFetchingNextPage}
        onClick={() => void list.fetchNextPage()}
      >
        <Trans>Show more</Trans>
      </button>
    </div>
  );
}
