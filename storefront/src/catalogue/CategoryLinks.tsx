import { useLingui } from "@lingui/react/macro";
import { NavLink } from "react-router";
import { CATEGORIES } from "./categories";

/** Links to all categories. */
export function CategoryLinks() {
  const { t, i18n } = useLingui();
  return (
    <nav className="category-links" aria-label={t`Categories`}>
      {Object.entries(CATEGORIES).map(([category, label]) => (
        <NavLink key={category} className="category-link" to={`/category/${category}`}>
          {i18n._(label)}
        </NavLink>
      ))}
    </nav>
  );
}
