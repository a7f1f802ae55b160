// Belvo's client for JavaScript (`npm install belvo`) does what its README shows; a JSON line for each step.
const belvo = require("belvo").default;

const { BELVO_URL, BELVO_ID, BELVO_PASSWORD } = process.env;
const FROM = "2025-01-01";
const TO = "2025-12-31";

async function step(name, call, fits = Boolean) {
  let value, ok, said;
  try {
    value = await call();
    ok = Boolean(fits(value));
    said = JSON.stringify(value) || String(value);
  } catch (error) {
    ok = false;
    said = `${error} ${JSON.stringify(error.detail || "")}`;
  }
  console.log(JSON.stringify({ step: name, ok, said: said.slice(0, 200) }));
  return value;
}

async function refused(call, status) {
  try {
    await call();
  } catch (error) {
    return error.statusCode === status;
  }
  return false;
}

async function main() {
  const client = new belvo(BELVO_ID, BELVO_PASSWORD, BELVO_URL);
  await step("connect", async () => (await client.connect()) || true);
  await step("institutions", () => client.institutions.list(), (rows) => rows.length > 0);
  const links = await step("links, page by page", () => client.links.list({ filters: { page_size: 1 } }), (rows) => rows.length === 3);
  const link = links[0].id;
  await step("one link", () => client.links.detail(link), (row) => row.id === link);

  const made = await step(
    "register",
    () => client.links.register("tatooine_mx_fiscal", "PFIS010101XY3", "abcd1234", { accessMode: "single", externalId: "mine-1" }),
    (row) => row.access_mode === "single",
  );
  await step("register with a wrong password", () =>
    refused(() => client.links.register("tatooine_mx_fiscal", "PFIS010101XY4", "wrongpass"), 400));
  await step("register with a token", async () => {
    try {
      await client.links.register("tatooine_mx_fiscal", "PFIS010101XY5", "tokenlogin");
    } catch (error) {
      const [wanted] = error.detail;
      return client.links.resume(wanted.session, "48213", wanted.link);
    }
    return null;
  }, (row) => row.status === "valid");
  await step("new password", () => client.links.update(made.id, { password: "efgh5678" }));
  await step("recurrent", () => client.links.patch(made.id, { accessMode: "recurrent" }), (row) => row.access_mode === "recurrent");
  await step("widget", () => client.widgetToken.create(), (row) => row.access && row.refresh);
  await step("widget of a link", () => client.widgetToken.create({ link }), (row) => row.access);
  await step("token of a link", () => client.links.token(link, "read_links"), (row) => row.access);

  for (const type of ["INFLOW", "outflow"]) {
    await step(`invoices, ${type}`, () => client.invoices.retrieve(link, FROM, TO, type), (rows) => rows.length > 0);
  }
  const everything = await step(
    "list of invoices",
    () => client.invoices.list({ limit: 1000, filters: { link } }),
    (rows) => rows.length > 20,
  );
  await step(
    "list of invoices from an amount on",
    () => client.invoices.list({ filters: { link, total_amount__gte: 1, type: "inflow" } }),
    (rows) => rows.length > 0,
  );
  await step("one invoice", () => client.invoices.detail(everything[0].id), (row) => row.id === everything[0].id);
  await step("delete an invoice", () => client.invoices.delete(everything[0].id));

  await step("yearly returns, without a type", () => client.taxReturns.retrieve(link, 2023, "2024"), (rows) => rows.length > 0);
  await step(
    "monthly returns",
    () => client.taxReturns.retrieve(link, FROM, TO, { type: "monthly" }),
    (rows) => rows.length > 0,
  );
  await step("status", () => client.taxStatus.retrieve(link, { attachPDF: true }), (row) => row.id_cif);
  await step("compliance", () => client.taxComplianceStatus.retrieve(link), (row) => row.outcome);
  await step("retentions, inflow", () => client.taxRetentions.retrieve(link, FROM, TO, "inflow"), (rows) => rows.length > 0);
  await step("delete a link", () => client.links.delete(made.id));
  await step("a link that is gone", async () => (await client.links.delete(made.id)) === false);
}

main();
