// Microsoft's SDK for JavaScript (@microsoft/microsoft-graph-client) against the embedded tenant.

import { ClientSecretCredential } from "@azure/identity";
import graph from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

const { BatchRequestContent, BatchResponseContent, Client, GraphError, HTTPMessageHandler, PageIterator, RetryHandler } = graph;
const { CAPOL_GRAPH_ENDPOINT: GRAPH, CAPOL_LOGIN_ENDPOINT: LOGIN, CAPOL_ACCESS_TOKEN: TOKEN, AZURE_TENANT_ID: TENANT } = process.env;
const STRONG = "00000000-0000-0000-0000-000000000004";
const NOBODY = "99999999-9999-4999-8999-999999999999";
const POLICIES = "/identity/conditionalAccess/policies";
const LOCATIONS = "/identity/conditionalAccess/namedLocations";
const DELETED = "/identity/conditionalAccess/deletedItems";
const facts = {};

const fact = (name, value) => {
  facts[name] = value;
};

/** Puts the SDK's own typed error into the report. */
async function refused(name, call) {
  try {
    await call();
    fact(name, "not refused");
  } catch (error) {
    fact(name, [error instanceof GraphError, error.statusCode, error.code, error.message, Boolean(error.requestId)]);
  }
}

/** The SDK gives tokens to https hosts alone; over plain HTTP a middleware of our own has to. */
function client(version) {
  const common = { baseUrl: GRAPH, defaultVersion: version };
  if (GRAPH.startsWith("https:")) {
    const credential = new ClientSecretCredential(TENANT, "7a5bd2b0-0000-4000-8000-000000000001", "a client secret of the tests", {
      authorityHost: LOGIN,
      disableInstanceDiscovery: true,
    });
    const authProvider = new TokenCredentialAuthenticationProvider(credential, { scopes: ["https://graph.microsoft.com/.default"] });
    return Client.initWithMiddleware({ ...common, authProvider, customHosts: new Set(["127.0.0.1"]) });
  }
  const given = {
    setNext(next) {
      this.next = next;
    },
    async execute(context) {
      context.options.headers = { ...context.options.headers, Authorization: `Bearer ${TOKEN}` };
      await this.next.execute(context);
    },
  };
  const retry = new RetryHandler();
  given.setNext(retry);
  retry.setNext(new HTTPMessageHandler());
  return Client.initWithMiddleware({ ...common, middleware: given });
}

const policy = (displayName, more = {}) => ({
  displayName,
  state: "enabledForReportingButNotEnforced",
  conditions: { users: { includeUsers: ["All"] }, applications: { includeApplications: ["All"] } },
  grantControls: { operator: "OR", builtInControls: ["mfa"] },
  ...more,
});

async function locations(api) {
  const office = await api(LOCATIONS).post({
    "@odata.type": "#microsoft.graph.ipNamedLocation",
    displayName: "Office",
    isTrusted: true,
    ipRanges: [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", cidrAddress: "203.0.113.0/24" }],
  });
  fact("ip location", [office["@odata.type"], office.isTrusted]);
  const home = await api(LOCATIONS).post({
    "@odata.type": "#microsoft.graph.countryNamedLocation",
    displayName: "Home",
    countriesAndRegions: ["NL", "DK"],
  });
  await api(`${LOCATIONS}/${home.id}`).patch({
    "@odata.type": "#microsoft.graph.countryNamedLocation",
    includeUnknownCountriesAndRegions: true,
  });
  const changed = await api(`${LOCATIONS}/${home.id}`).get();
  fact("country location changed", [changed.includeUnknownCountriesAndRegions, changed.countriesAndRegions, "isTrusted" in changed]);
  await refused("untyped location", () => api(LOCATIONS).post({ displayName: "x" }));
  await api(`${LOCATIONS}/${home.id}`).delete();
  await refused("deleted location read", () => api(`${LOCATIONS}/${home.id}`).get());
  const restored = await api(`${DELETED}/namedLocations/${home.id}/restore`).post({});
  fact("location restored", restored.id === home.id);
  return office;
}

async function policies(api, office, root) {
  const made = [];
  for (let number = 0; number < 7; number += 1) {
    made.push(await api(POLICIES).post(policy(`Policy ${number}`)));
  }
  fact("policy created", [made[0].state, typeof made[0].createdDateTime, made[0].modifiedDateTime]);
  const first = await api(POLICIES).top(3).get();
  const names = [];
  await new PageIterator(root, first, (one) => names.push(one.displayName) > 0).iterate();
  fact("policies by pages", [first.value.length, names.length, new Set(names).size]);
  const found = await api(POLICIES).filter("displayName eq 'Policy 3'").select(["displayName"]).count(true).get();
  fact("policies found", [found.value.map((one) => Object.keys(one).sort()), found["@odata.count"]]);
  const item = `${POLICIES}/${made[0].id}`;
  await api(item).patch({ state: "disabled", conditions: { locations: { includeLocations: ["All"], excludeLocations: [office.id] } } });
  const changed = await api(item).get();
  fact("policy changed", [
    changed.state,
    changed.conditions.users.includeUsers,
    changed.conditions.locations.excludeLocations.length,
    changed.modifiedDateTime !== null,
  ]);
  await api(item).delete();
  await refused("deleted policy read", () => api(item).get());
  const deleted = await api(`${DELETED}/policies`).get();
  fact("deleted policies", deleted.value.map((one) => one.displayName));
  const restored = await api(`${DELETED}/policies/${made[0].id}/restore`).post({});
  fact("policy restored", [restored.id === made[0].id, restored.state]);
  await refused("unknown location", () =>
    api(POLICIES).post(policy("x", { conditions: { ...policy("x").conditions, locations: { includeLocations: [NOBODY] } } })),
  );
  await refused("strength and MFA", () =>
    api(POLICIES).post(policy("x", { grantControls: { operator: "AND", builtInControls: ["mfa"], authenticationStrength: { id: STRONG } } })),
  );
  await refused("unknown member", () => api(POLICIES).post(policy("x", { nonsense: true })));
  const beta = await api(POLICIES).version("beta").get();
  fact("the same in beta", beta.value.length);
}

async function neighbours(api) {
  const strengths = "/policies/authenticationStrengthPolicies";
  const made = await api(strengths).post({ displayName: "Keys", allowedCombinations: ["fido2"] });
  const answer = await api(`${strengths}/${made.id}/updateAllowedCombinations`).post({
    allowedCombinations: ["fido2", "windowsHelloForBusiness"],
  });
  fact("combinations", answer.currentCombinations);
  const usage = await api(`${strengths}/${STRONG}/usage`).get();
  fact("usage", [usage.mfa.length, usage.none.length]);
  await api(`${strengths}/${made.id}`).delete();
  const contexts = "/identity/conditionalAccess/authenticationContextClassReferences";
  await api(`${contexts}/c42`).patch({ displayName: "Payments", description: "Money", isAvailable: true });
  await refused("published context deleted", () => api(`${contexts}/c42`).delete());
  await api(`${contexts}/c42`).patch({ isAvailable: false });
  await api(`${contexts}/c42`).delete();
  await refused("deleted context read", () => api(`${contexts}/c42`).get());
}

async function groups(api) {
  const users = (await api("/users").top(2).get()).value;
  const group = await api("/groups").post({ displayName: "Pilot", mailEnabled: false, mailNickname: "pilot", securityEnabled: true });
  const link = (id) => `https://graph.microsoft.com/v1.0/directoryObjects/${id}`;
  await api(`/groups/${group.id}/members/$ref`).post({ "@odata.id": link(users[0].id) });
  await refused("member twice", () => api(`/groups/${group.id}/members/$ref`).post({ "@odata.id": link(users[0].id) }));
  await api(`/groups/${group.id}`).patch({ "members@odata.bind": [link(users[1].id)] });
  const members = await api(`/groups/${group.id}/members`).get();
  fact("members", members.value.map((one) => one["@odata.type"]));
  fact("count of members", Number(await api(`/groups/${group.id}/members/$count`).header("ConsistencyLevel", "eventual").get()));
  await api(`/groups/${group.id}/members/${users[0].id}/$ref`).delete();
  await refused("advanced query without eventual", () => api("/groups").filter("displayName ne 'Pilot'").get());
  const found = await api("/groups").header("ConsistencyLevel", "eventual").count(true).search('"displayName:Pilot"').get();
  fact("search", [found["@odata.count"], found.value.length]);
  await api(`/groups/${group.id}`).delete();
  const restored = await api(`/directory/deletedItems/${group.id}/restore`).post({});
  fact("group restored", restored["@odata.type"]);
}

async function batches(api) {
  // The SDK takes the host off and no more, and the service wants no version.
  const step = (id, path, options) => ({ id, request: new Request(`https://graph.microsoft.com${path}`, options) });
  const body = JSON.stringify(policy("From a batch"));
  const content = new BatchRequestContent([
    step("create", POLICIES, { method: "POST", headers: { "Content-Type": "application/json" }, body }),
    step("missing", `${POLICIES}/${NOBODY}`, { method: "GET" }),
    step("list", POLICIES, { method: "GET" }),
  ]);
  const answers = new BatchResponseContent(await api("/$batch").post(await content.getContent()));
  const statuses = {};
  for (const [id, response] of answers.getResponses()) {
    statuses[id] = response.status;
  }
  fact("batch", Object.fromEntries(Object.entries(statuses).sort()));
  fact("created in a batch", (await answers.getResponseById("create").json()).displayName);
}

const root = client("v1.0");
const api = (path) => root.api(path);
fact("tenant", (await api("/organization").get()).value[0].id === TENANT);
const office = await locations(api);
await policies(api, office, root);
await neighbours(api);
await groups(api);
await batches(api);
console.log(JSON.stringify(facts));
