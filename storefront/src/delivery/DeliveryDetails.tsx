import { Plural, Trans } from "@lingui/react/macro";
import type { Schemas } from "../api/client";
import { phone } from "../i18n/format";
import { Money } from "../ui/parts";

/** A delivery fee in KES. */
export function Fee({ kes }: { kes: number }) {
  return kes > 0 ? (
    <Money kes={kes} />
  ) : (
    <span className="money">
      <Trans>Free</Trans>
    </span>
  );
}

/** The estimated delivery time. */
export function Days({ days }: { days: number }) {
  return (
    <Plural
      value={days}
      _0="Arrives the day you pay."
      one="Arrives within # day of payment."
      other="Arrives within # days of payment."
    />
  );
}

/** An order's destination and recipient; for a pick-up point, its opening hours. */
export function DeliveryDetails({
  delivery,
  isUnderWay,
}: {
  delivery: Schemas["OrderDeliveryOutput"];
  /** Whether it has not been delivered yet. */
  isUnderWay: boolean;
}) {
  const { place, directions, recipient, opening_hours: hours, days } = delivery;
  const number = phone(delivery.phone);
  return (
    <section className="panel sum">
      <h2>
        {delivery.way === "pickup" ? (
          <Trans>Collect at a pick-up point</Trans>
        ) : (
          <Trans>Delivery to your address</Trans>
        )}
      </h2>
      <p>
        <strong>{place}</strong>
        {directions && <span className="quiet small"> {directions}</span>}
      </p>
      {hours && (
        <p>
          <Trans>Open: {hours}</Trans>
        </p>
      )}
      <p className="quiet small">
        <Trans>
          For {recipient}, {number}
        </Trans>
      </p>
      {isUnderWay && (
        <p className="quiet small">
          <Days days={days} />
        </p>
      )}
    </section>
  );
}
