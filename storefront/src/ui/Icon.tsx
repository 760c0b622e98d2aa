const PATHS = {
  cart: "M3 4h2.2l2.3 11h10.4L20 7.5H6M9 19.5h.01M16.5 19.5h.01",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.8-3.6 3.7-5.5 7.5-5.5s6.7 1.9 7.5 5.5",
  orders: "M5 8.5 12 4.500l7 4v7.500l-7 4-7-4V8.500Zm0 0 7 4 7-4m-7 4v7.5",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20",
  phone:
    "M8 3.500h8a1.5 1.5 0 0 1 1.5 1.500v14a1.5 1.5 0 0 1-1.5 1.500H8A1.5 1.5 0 0 1 6.5 19V5A1.5 1.5 0 0 1 8 3.500ZM11 17.500h2",
  bell: "M6.5 16.5V11a5.5 5.5 0 0 1 11 0v5.5l1.5 1.500H5ZM10.5 20.500h3",
  check: "m5 12.5 4.5 4.500L19 7.5",
  cross: "M6 6l12 12M18 6 6 18",
  left: "M14.5 6 8.5 12l6 6",
  right: "M9.5 6l6 6-6 6",
  filter: "M4 7h10m4 0h2M4 17h2m4 0h10M16 5v4M8 15v4",
  clock: "M12 20.500a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 7v5.200l3.2 1.9",
  shield:
    "M12 3.5 5 6v5.500c0 4.3 2.9 7.6 7 9 4.1-1.4 7-4.7 7-9V6l-7-2.500Zm-3 8.3 2.2 2.200L15.3 10",
  back: "M4 9.500h10.500a5 5 0 0 1 0 10H9M4 9.5 8 5.500M4 9.500l4 4",
  share: "M12 15V4m0 0L8 8m4-4 4 4M5 13v5.500A1.5 1.5 0 0 0 6.5 20h11a1.5 1.5 0 0 0 1.5-1.500V13",
  tag: "M4 11.500V5a1 1 0 0 1 1-1h6.500l8.200 8.200a1 1 0 0 1 0 1.400l-6.100 6.100a1 1 0 0 1-1.400 0ZM8.200 8.200h.01",
  camera: "M4 8.500h3.500L9 6h6l1.500 2.500H20v10.500H4ZM12 16.500a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
  picture: "M4.5 5h15v14h-15zM4.5 16l4.5-4.5 3.5 3.5 2.5-2.5 4.5 4.500M15.5 9h.01",
} as const;

/** An icon. Hidden from screen readers: the text beside it says what it means. */
export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
