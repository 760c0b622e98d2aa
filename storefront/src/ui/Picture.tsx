import { Icon } from "./Icon";
import { useSeen } from "./parts";

/** A product's picture on its tile. It is fetched when it comes near the screen, or at once. */
export function Picture({
  src,
  full,
  alt = "",
  eager = false,
  sizes,
}: {
  src: string | null;
  /** The large one, for screens that can show it. */
  full?: string | null | undefined;
  alt?: string;
  eager?: boolean;
  sizes?: string;
}) {
  const [ref, seen] = useSeen<HTMLDivElement>();
  return (
    <div className="picture" ref={ref}>
      {src === null && (
        <div className="nothing">
          <Icon name="picture" />
        </div>
      )}
      {src !== null && (eager || seen) && (
        <img
          src={src}
          srcSet={full ? `${src} 400w, ${full} 1600w` : undefined}
          sizes={full ? sizes : undefined}
          alt={alt}
          width="400"
          height="400"
          decoding="async"
          fetchPriority={eager ? "high" : "auto"}
        />
      )}
    </div>
  );
}
