// Evaluates recorded expressions with npm's jsonata 2, the engine that Step Functions' own follows.
// Says by line what came of each: {"value": …} or {"error": …}.
const crypto = require("crypto");
const fs = require("fs");
const jsonata = require("jsonata");

async function main() {
  for (const line of fs.readFileSync(process.argv[2], "utf8").split("\n").filter(Boolean)) {
    const asked = JSON.parse(line);
    let outcome;
    try {
      const expression = jsonata(asked.text);
      expression.registerFunction("hash", (text, kind) =>
        crypto.createHash(kind.replace("-", "").toLowerCase()).update(text).digest("hex"));
      const value = await expression.evaluate(asked.input === null ? undefined : asked.input, asked.bindings);
      outcome = { value: value === undefined ? null : value };
    } catch (error) {
      outcome = { error: String(error.message) };
    }
    console.log(JSON.stringify(outcome));
  }
}

main();
