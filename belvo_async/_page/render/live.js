// The page is made again where the store is read; here only what it shows is exchanged, and what was open stays open.
const told = new EventSource("events");
told.addEventListener("changed", async () => {
  const answer = await fetch("./", { cache: "no-store" });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const each of document.querySelectorAll("details[open][id]")) next.getElementById(each.id)?.setAttribute("open", "");
  const focused = document.activeElement?.closest("[id]")?.id;
  for (const part of ["header", "main"]) document.querySelector(part).replaceWith(next.querySelector(part));
  document.title = next.title;
  if (focused) (document.querySelector(`#${CSS.escape(focused)} > summary`) ?? document.getElementById(focused))?.focus({ preventScroll: true });
});
