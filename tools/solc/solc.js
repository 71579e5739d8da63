#!/usr/bin/env node
// The Solidity compiler from npm (WebAssembly), behind the part of the native compiler's command line that
// Ape (py-solc-x), forge and Slither use: `--version` and `--standard-json [--base-path DIR] [--include-path DIR]…`.
"use strict";

const fs = require("fs");
const path = require("path");

const USAGE = "solc: this build takes --version, or --standard-json [--base-path DIR] [--include-path DIR]… [--allow-paths …] [FILE]";

function parseArguments(argv) {
  const options = { version: false, standardJson: false, roots: [], inputFile: 0 };
  const rest = [...argv];
  while (rest.length > 0) {
    const [name, inline] = rest.shift().split(/=(.*)/s);
    const value = () => inline ?? rest.shift();
    if (name === "--version") options.version = true;
    else if (name === "--standard-json") options.standardJson = true;
    else if (name === "--base-path") options.roots.unshift(value());
    else if (name === "--include-path") options.roots.push(value());
    else if (name === "--allow-paths") value();
    else if (name === "-" || name === "") options.inputFile = 0;
    else if (name.startsWith("-")) fail(`unrecognised option '${name}'\n${USAGE}`);
    else options.inputFile = name;
  }
  if (options.roots.length === 0) options.roots.push(".");
  return options;
}

function fail(message) {
  process.stderr.write(message + "\n");
  process.exit(1);
}

// solc asks for a source only when the input does not carry it: looked up below the base path, then the include paths.
function importFrom(roots) {
  return (name) => {
    const file = roots.map((root) => path.resolve(root, name)).find((candidate) => fs.existsSync(candidate));
    return file ? { contents: fs.readFileSync(file, "utf8") } : { error: `File not found: ${name}` };
  };
}

// Synchronous, and looped: an asynchronous write to a pipe is cut off when the process exits.
function writeAll(text) {
  const bytes = Buffer.from(text, "utf8");
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += fs.writeSync(1, bytes, offset);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

const options = parseArguments(process.argv.slice(2));
if (!options.version && !options.standardJson) fail(USAGE);

const solc = require("solc");
if (options.version) {
  writeAll(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else {
  const input = fs.readFileSync(options.inputFile, "utf8");
  writeAll(solc.compile(input, { import: importFrom(options.roots) }) + "\n");
}
