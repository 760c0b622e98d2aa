import { Plural, Trans } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ProductDetail, Review } from "../api/client";
import { reviewsQuery } from "../api/queries";
import { day } from "../i18n/format";
import { Problem, useSeen } from "../ui/parts";
import { Stars } from "../ui/Stars";

/** A product's reviews; loaded when the user has scrolled near them. */
export function Reviews({ product }: { product: ProductDetail }) {
  const [ref, seen] = useSeen<HTMLElement>("0px");
  const list = useInfiniteQuery({
    ...reviewsQuery(product.id),
    enabled: seen && product.reviews > 0,
  });
  const reviews = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section className="reviews" ref={ref}>
      <h2>
        <Trans>Customer reviews</Trans>
      </h2>
      {product.reviews === 0 ? (
        <p className="quiet">
          <Trans>No reviews yet. Buy it and be the first to review it.</Trans>
        </p>
      ) : (
        <p className="quiet">
          <Plural value={product.reviews} one="# review" other="# reviews" />
        </p>
      )}
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {reviews.map((review) => (
        <Said key={review.id} review={review} />
      ))}
      {list.hasNextPage && (
        <button type="button" className="button plain" onClick={() => void list.fetchNextPage()}>
          <Trans>Show more</Trans>
        </button>
      )}
    </section>
  );
}

function Said({ review }: { review: Review }) {
  const stars = review.stars;
  return (
    <article className="review">
      <p className="between">
        <strong>{review.by}</strong>
        <span className="quiet small">{day(review.created_at)}</span>
      </p>
      <Stars stars={stars}>
        {review.returned && (
          <span className="tag">
            <Trans>Returned</Trans>
          </span>
        )}
        {review.edited && (
          <span className="quiet small">
            <Trans>Edited</Trans>
          </span>
        )}
      </Stars>
      {review.text && <p className="description">{review.text}</p>}
      {review.answer && (
        <div className="answer">
          <p className="small quiet">
            <Trans>Seller's reply</Trans>
          </p>
          <p className="description">{review.answer.text}</p>
        </div>
      )}
    </article>
  );
}
