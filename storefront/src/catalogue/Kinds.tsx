import { useLingui } from "@lingui/react/macro";
import { NavLink } from "react-router";
import { CATEGORIES } from "./categories";

/** The way to each category. */
export function Kinds() {
  const { t, i18n } = useLingui();
  return (
    <nav className="kinds" aria-label={t`Categories`}>
      {Object.entries(CATEGORIES).map(([category, label]) => (
        <NavLink key={category} className="kind" to={`/category/${category}`}>
          {i18n._(label)}
        </NavLink>
      ))}
    </nav>
  );
}
