// Every module that a browser fetches for the page at argv[2], whose script argv[3] lies in the folder argv[4], in the
// order in which it meets them: the engine parses each module and resolves what it imports.  node --experimental-vm-modules

import { readFileSync } from "node:fs";
import { SourceTextModule } from "node:vm";

const [page, first, folder] = process.argv.slice(2);
const home = new URL(".", new URL(first, page)).href;

const imported = (url) => {
  if (!url.startsWith(home)) throw new Error(`${url} lies outside of ${home}`);
  const module = new SourceTextModule(readFileSync(`${folder}/${url.slice(home.length)}`, "utf8"));
  const asked = module.moduleRequests?.map(({ specifier }) => specifier) ?? module.dependencySpecifiers;
  return asked.map((specifier) => new URL(specifier, url).href);
};

const met = [new URL(first, page).href];
for (const url of met) met.push(...new Set(imported(url).filter((other) => !met.includes(other))));
console.log(JSON.stringify(met));
