// A CDS client of the kind that runs in a browser: it reads the services, searches what they ask for on its FHIR
// server, signs every call with its own key (ES384), shows cards as text, and reports what became of them.

const asked = new URLSearchParams(location.search);
const services = asked.get("services");
const fhir = asked.get("fhir");
const patient = asked.get("patient");
const issuer = asked.get("issuer");

const write = (text) => (document.querySelector("#log").textContent += `${text}\n`);
const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const coded = (value) => base64url(new TextEncoder().encode(JSON.stringify(value)));

async function signer() {
  const jwk = await (await fetch("key.json")).json();
  const algorithm = { name: "ECDSA", namedCurve: "P-384" };
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
  return async (address) => {
    const now = Math.floor(Date.now() / 1000);
    const header = { alg: "ES384", typ: "JWT", kid: jwk.kid, jku: `${issuer}/.well-known/jwks.json` };
    const claims = { iss: issuer, aud: address, exp: now + 300, iat: now, jti: crypto.randomUUID() };
    const text = `${coded(header)}.${coded(claims)}`;
    const signature = await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-384" }, key, new TextEncoder().encode(text));
    return { Authorization: `Bearer ${text}.${base64url(signature)}` };
  };
}

async function found(template) {
  const query = template.replaceAll("{{context.patientId}}", patient);
  const [type, search] = query.split("?");
  if (!search) return (await fetch(`${fhir}/${query}`)).json();
  const form = { method: "POST", body: search, headers: { "Content-Type": "application/x-www-form-urlencoded" } };
  const answer = await fetch(`${fhir}/${type}/_search`, form);
  return (answer.ok ? answer : await fetch(`${fhir}/${query}`)).json();
}

function show(card, dismiss) {
  const article = document.createElement("article");
  const heading = document.createElement("h2");
  heading.textContent = card.summary;
  const detail = document.createElement("pre");
  detail.textContent = card.detail;
  article.dataset.indicator = card.indicator;
  article.append(heading, detail);
  for (const reason of card.overrideReasons ?? []) {
    const button = document.createElement("button");
    button.textContent = reason.display;
    button.addEventListener("click", () => dismiss(reason));
    article.append(button);
  }
  document.querySelector("#cards").append(article);
}

async function work() {
  const sign = await signer();
  const discovery = await fetch(services, { headers: await sign(services) });
  write(`discovery ${discovery.status}`);
  for (const service of (await discovery.json()).services.filter((each) => each.hook === "patient-view")) {
    const prefetch = {};
    for (const [key, template] of Object.entries(service.prefetch)) prefetch[key] = await found(template);
    const address = `${services}/${service.id}`;
    const call = async (path, body) =>
      fetch(path, { method: "POST", body: JSON.stringify(body),
        headers: { "Content-Type": "application/json", ...(await sign(path)) } });
    const answer = await call(address, {
      hook: service.hook, hookInstance: crypto.randomUUID(), fhirServer: fhir, prefetch,
      context: { patientId: patient, userId: "Practitioner/example" },
    });
    write(`call ${answer.status}`);
    for (const card of (await answer.json()).cards)
      show(card, async (reason) => {
        const feedback = [{ card: card.uuid, outcome: "overridden", overrideReason: { reason },
                            outcomeTimestamp: new Date().toISOString() }];
        write(`feedback ${(await call(`${address}/feedback`, { feedback })).status}`);
      });
  }
  write("done");
}

work().catch((error) => write(`failed: ${error.message}`));
