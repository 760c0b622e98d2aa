import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import { Empty } from "../ui/parts";
import { Pages, Selling } from "./parts";
import { sellersReviewsQuery } from "./queries";
import { ReviewRow } from "./ReviewRow";

/** The reviews of all the seller's products, and the seller's answers. */
export default function ReviewsPage() {
  const { t } = useLingui();
  const [params, setParams] = useSearchParams();
  const isWaiting = params.get("answered") === "false";
  const stars = /^[1-5]$/.test(params.get("stars") ?? "") ? (params.get("stars") ?? "") : "";
  const list = useInfiniteQuery({
    ...sellersReviewsQuery(isWaiting ? "false" : "", stars),
    staleTime: 0,
  });
  const to = (answered: string) => {
    const query = new URLSearchParams(params);
    if (answered) query.set("answered", answered);
    else query.delete("answered");
    return `/selling/reviews?${query}`.replace(/\?$/, "");
  };
  return (
    <Selling name={t`Customer reviews`}>
      <div className="narrowing">
        <nav className="which" aria-label={t`Filter reviews`}>
          <Link to={to("")} replace aria-current={isWaiting ? undefined : "page"}>
            <Trans>All</Trans>
          </Link>
          <Link to={to("false")} replace aria-current={isWaiting ? "page" : undefined}>
            <Trans>Not replied</Trans>
          </Link>
        </nav>
        <label className="by">
          <span className="hidden">
            <Trans>Stars</Trans>
          </span>
          <select
            className="input"
            value={stars}
            onChange={(event) => {
              const chosen = event.target.value;
              setParams(
                (before) => {
                  if (chosen) before.set("stars", chosen);
                  else before.delete("stars");
                  return before;
                },
                { replace: true },
              );
            }}
          >
            <option value="">{t`All stars`}</option>
            {["5", "4", "3", "2", "1"].map((each) => (
              <option key={each} value={each}>
                {"★".repeat(Number(each))}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Pages
        of={list}
        skeletons={3}
        empty={
          isWaiting || stars ? (
            <Empty title={<Trans>Nothing here</Trans>} />
          ) : (
            <Empty title={<Trans>No reviews yet</Trans>}>
              <p className="quiet">
                <Trans>Buyers can review an item once they have received it.</Trans>
              </p>
            </Empty>
          )
        }
        row={(review) => <ReviewRow key={review.id} review={review} />}
      />
    </Selling>
  );
}
