import { Trans } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { dataOf, type Schemas, userApi } from "../api/client";
import { NoAnswer } from "../api/errors";
import { messagesQuery } from "../api/queries";
import { changeLanguage } from "../i18n";
import { Problem } from "../ui/parts";

type Switch = Exclude<keyof Schemas["Messages"], "language">;

const SWITCHES: [Switch, ReactNode][] = [
  ["buying_sms", <Trans key="0">SMS me about my purchases</Trans>],
  ["buying_email", <Trans key="1">Email me about my purchases</Trans>],
  ["prompts_sms", <Trans key="2">SMS me when a payment fails</Trans>],
  ["prompts_email", <Trans key="3">Email me when a payment fails</Trans>],
  ["selling_sms", <Trans key="4">SMS me about my sales</Trans>],
  ["selling_email", <Trans key="5">Email me about my sales</Trans>],
];

/** Notification preferences and their language. Each switch is saved at once. */
export function MessagesForm() {
  const client = useQueryClient();
  const messages = useQuery(messagesQuery);
  const save = useMutation({
    mutationFn: (body: Schemas["EditMessagesInput"]) =>
      dataOf(userApi.PATCH("/account/messages/", { body })),
    onSuccess: (saved) => client.setQueryData(messagesQuery.queryKey, saved),
  });
  /** Why the language's texts could not be loaded. */
  const [unread, setUnread] = useState<NoAnswer | null>(null);
  const now = { ...messages.data, ...(save.isPending ? save.variables : {}) };
  return (
    <section className="panel">
      <h2>
        <Trans>Language and notifications</Trans>
      </h2>
      {messages.isError && <Problem error={messages.error} again={() => void messages.refetch()} />}
      {(save.error ?? unread) && <Problem error={save.error ?? unread} />}
      <div className="choices">
        <div className="field">
          <label className="label" htmlFor="language">
            <Trans>Language</Trans>
          </label>
          <select
            id="language"
            className="input"
            value={now.language ?? "en"}
            disabled={!messages.data}
            onChange={(event) => {
              const language = event.target.value as Schemas["LanguageEnum"];
              save.mutate({ language });
              setUnread(null);
              changeLanguage(language).catch((error) => setUnread(new NoAnswer(error)));
            }}
          >
            <option value="en">English</option>
            <option value="sw">Kiswahili</option>
          </select>
        </div>
        {SWITCHES.map(([name, label]) => (
          <label className="choice" key={name}>
            <input
              type="checkbox"
              checked={now[name] ?? false}
              disabled={!messages.data}
              onChange={(event) => save.mutate({ [name]: event.target.checked })}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </section>
  );
}
