import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link } from "react-router";
import { dataOf, publicApi } from "../api/client";
import { ApiError, fieldError } from "../api/errors";
import { session } from "../api/session";
import { isMpesaNumber } from "../checkout/mpesaNumber";
import { phone as written } from "../i18n/format";
import { guestOrders } from "../orders/guestOrders";
import { Field, Problem, useSecondsUntil } from "../ui/parts";
import { LockedOut } from "./LockedOut";
import { awaitCode, keepSent, readCode, readSent, type Sent, sentOf, TRIES } from "./phoneCode";

/** Sign in or register with a phone and a code sent to it by SMS.
 *
 *  `phone` is the number, if it is known. `onSent` is called with whether a code was sent and is to
 *  be typed, `onOff` if this shop sends no codes.
 */
export function PhoneSignIn({
  phone,
  ask,
  hint,
  onIn,
  onSent,
  onOff,
}: {
  phone?: string | undefined;
  /** The label of the button that sends the code. */
  ask: ReactNode;
  hint?: ReactNode;
  onIn?: () => void;
  onSent?: (isSent: boolean) => void;
  onOff?: () => void;
}) {
  const { t } = useLingui();
  const [sent, setSent] = useState(() => readSent(phone));
  const [unread, setUnread] = useState<string | null>(null);
  const [isPasswordOnly, setPasswordOnly] = useState(false);
  const isSent = sent !== null;
  useEffect(() => onSent?.(isSent), [isSent, onSent]);
  const keep = (next: Sent | null) => {
    keepSent(next);
    setSent(next);
  };
  const send = useMutation({
    mutationFn: (to: string) => dataOf(publicApi.POST("/login/phone/", { body: { phone: to } })),
    onSuccess: (answer, to) => {
      setPasswordOnly(false);
      keep(sentOf(to, answer));
    },
    onError: (error) => {
      if (codeOf(error) === "phone_login_off") onOff?.();
    },
  });
  if (sent) {
    return (
      <TypeCode
        key={sent.token}
        sent={sent}
        keep={keep}
        again={send}
        isFixed={phone !== undefined}
        onIn={onIn}
        onPassword={() => {
          keep(null);
          setPasswordOnly(true);
        }}
      />
    );
  }
  const wrong = unread ?? fieldError(send.error, "phone");
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const typed = phone ?? String(new FormData(event.currentTarget).get("phone") ?? "").trim();
        const isRead = isMpesaNumber(typed);
        setUnread(isRead ? null : t`Enter a Kenyan mobile number, like 0712 345 678.`);
        if (isRead) send.mutate(typed);
      }}
    >
      {isPasswordOnly && (
        <p className="notice warn" role="alert">
          <Trans>Sign in to this account with its password.</Trans>{" "}
          {phone !== undefined && (
            <Link to="/sign-in">
              <Trans>Sign in with your password</Trans>
            </Link>
          )}
        </p>
      )}
      {phone === undefined && (
        <Field
          label={<Trans>Phone</Trans>}
          name="phone"
          type="tel"
          inputMode="tel"
          autoComplete="tel"
          error={wrong}
          hint={hint}
        />
      )}
      {send.error && !wrong && <Problem error={send.error} />}
      <button type="submit" className="button wide" disabled={send.isPending}>
        {send.isPending ? <Trans>Please wait…</Trans> : ask}
      </button>
    </form>
  );
}

type Typed = { code: string; password?: string };

function TypeCode({
  sent,
  keep,
  again,
  isFixed,
  onIn,
  onPassword,
}: {
  sent: Sent;
  keep: (next: Sent | null) => void;
  again: { mutate: (phone: string) => void; isPending: boolean; error: Error | null };
  isFixed: boolean;
  onIn: (() => void) | undefined;
  onPassword: () => void;
}) {
  const { t } = useLingui();
  const form = useRef<HTMLFormElement>(null);
  const [unread, setUnread] = useState<string | null>(null);
  const [needsPassword, setNeedsPassword] = useState(false);
  const confirm = useMutation({
    mutationFn: ({ code, password }: Typed) =>
      dataOf(
        publicApi.POST("/login/phone/confirm/", {
          body: { phone: sent.phone, token: sent.token, code, ...(password ? { password } : {}) },
        }),
      ),
    onSuccess: (answer) => {
      keepSent(null);
      session.begin(answer, answer.user);
      guestOrders.joined(sent.phone);
      onIn?.();
    },
    onError: (error) => {
      const said = codeOf(error);
      if (said === "use_password") return onPassword();
      if (said === "password_needed") setNeedsPassword(true);
      // The shop counts every code it could read.
      if (error instanceof ApiError && error.status === 400) {
        keep({ ...sent, tries: sent.tries + 1 });
      }
    },
  });
  const { mutate } = confirm;
  useEffect(() => {
    form.current?.querySelector<HTMLInputElement>("#code")?.focus();
    return awaitCode((code) => {
      const field = form.current?.querySelector<HTMLInputElement>("#code");
      if (field) field.value = code;
      mutate({ code });
    });
  }, [mutate]);
  const seconds = Math.ceil(useSecondsUntil(sent.until));
  const left = TRIES - sent.tries;
  const isOver = seconds === 0 || left <= 0;
  const number = written(sent.phone);
  const wrong = unread ?? (isWrong(confirm.error) && !isOver ? <Wrong left={left} /> : null);
  return (
    <form
      className="stack"
      noValidate
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        const typed = new FormData(event.currentTarget);
        const code = readCode(String(typed.get("code") ?? ""));
        setUnread(code ? null : t`Enter the 6-digit code from the SMS.`);
        if (code) mutate({ code, password: String(typed.get("password") ?? "") });
      }}
    >
      <p role="status">
        <Trans>
          We sent a code by SMS to <strong>{number}</strong>.
        </Trans>
      </p>
      <Field
        label={<Trans>SMS code</Trans>}
        name="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        // Six digits and a space, as people read it out.
        maxLength={7}
        disabled={isOver}
        error={wrong}
      />
      {needsPassword && !isOver && (
        <>
          <p className="notice" role="status">
            <Trans>
              This number has not been used here for a long time. Enter your password too.
            </Trans>
          </p>
          <Field
            label={<Trans>Password</Trans>}
            name="password"
            type="password"
            autoComplete="current-password"
            required
          />
        </>
      )}
      {isOver ? (
        <p className="notice warn" role="alert">
          {left <= 0 ? (
            <Trans>Too many wrong codes. Request a new one.</Trans>
          ) : (
            <Trans>This code has expired. Request a new one.</Trans>
          )}
        </p>
      ) : (
        <Refused error={confirm.error} />
      )}
      {!isOver && (
        <button type="submit" className="button wide" disabled={confirm.isPending}>
          {confirm.isPending ? <Trans>Please wait…</Trans> : <Trans>Continue</Trans>}
        </button>
      )}
      <Again sent={sent} again={again} isOver={isOver} />
      {!isFixed && (
        <button type="button" className="as-link" onClick={() => keep(null)}>
          <Trans>Use another number</Trans>
        </button>
      )}
    </form>
  );
}

/** The button that sends another code, and the wait until that is allowed. */
function Again({
  sent,
  again,
  isOver,
}: {
  sent: Sent;
  again: { mutate: (phone: string) => void; isPending: boolean; error: Error | null };
  isOver: boolean;
}) {
  const wait = Math.ceil(useSecondsUntil(sent.again));
  return (
    <>
      {again.error && <Problem error={again.error} />}
      {wait > 0 ? (
        <p className="quiet small">
          <Plural
            value={wait}
            one="No code? Resend it in # second."
            other="No code? Resend it in # seconds."
          />
        </p>
      ) : (
        <button
          type="button"
          className={isOver ? "button wide" : "button plain wide"}
          disabled={again.isPending}
          onClick={() => again.mutate(sent.phone)}
        >
          <Trans>Resend code</Trans>
        </button>
      )}
    </>
  );
}

function Wrong({ left }: { left: number }) {
  return (
    <Plural
      value={left}
      one="Wrong code. You have # try left."
      other="Wrong code. You have # tries left."
    />
  );
}

function Refused({ error }: { error: Error | null }) {
  const said = codeOf(error);
  if (!error || isWrong(error) || said === "password_needed") return null;
  if (error instanceof ApiError && said === "locked_out") return <LockedOut error={error} />;
  return <Problem error={error} />;
}

/** Whether the typed code is wrong: then `code` is a field's errors, not an error code. */
function isWrong(error: unknown): boolean {
  return error instanceof ApiError && Array.isArray(error.body.code);
}

function codeOf(error: unknown): string {
  return error instanceof ApiError ? error.code : "";
}
