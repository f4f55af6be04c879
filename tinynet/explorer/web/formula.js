// Arithmetic as text (explorer/formulas.py): a panel shows it, computes with it, and hands it out as Python.

/** @typedef {[number, number]} Sized  a number, and what was added on its way, without signs: rounding is a part of that */
/** @typedef {(names: Record<string, Sized>) => Sized} Formula */

/** @type {Record<string, (...x: number[]) => number>} */
const FUNCTIONS = {
  abs: Math.abs, exp: Math.exp, log: Math.log, maximum: Math.max, minimum: Math.min, sign: Math.sign, sqrt: Math.sqrt,
  tanh: Math.tanh, where: (condition, a, b) => (condition ? a : b),
};

/** @type {Record<string, (a: Sized, b: Sized) => Sized>} */
const SIGNS = {
  "+": ([a, s], [b, t]) => [a + b, s + t],
  "-": ([a, s], [b, t]) => [a - b, s + t],
  "*": ([a, s], [b, t]) => [a * b, s * t],
  "/": ([a, s], [b]) => [a / b, s / Math.abs(b)],
  "//": ([a], [b]) => [Math.floor(a / b), 0],
  "%": ([a], [b]) => [a % b, 0],
  "**": ([a], [b]) => [a ** b, Math.abs(a ** b)],
  ">": ([a], [b]) => [Number(a > b), 1],
};

// From what binds least to what binds most.
const LEVELS = [[">"], ["+", "-"], ["*", "//", "/", "%"], ["**"]];

/** @param {number} x @returns {Sized} */
const sizedNumber = (x) => [x, Math.abs(x)];

/** The formula of a text such as "gamma * (x - mean) / sqrt(var + epsilon)". @param {string} text @returns {Formula} */
function parsed(text) {
  const tokens = text.match(/\d+(?:\.\d+)?|\w+|\*\*|\/\/|\S/g);
  let next = 0;
  const taken = (...signs) => (signs.includes(tokens[next]) ? tokens[next++] : null);

  /** @returns {Formula} */
  function level(i) {
    if (i === LEVELS.length) return atom();
    let left = level(i + 1);
    for (let sign = taken(...LEVELS[i]); sign; sign = taken(...LEVELS[i])) {
      const [a, act, b] = [left, SIGNS[sign], level(i + 1)];
      left = (names) => act(a(names), b(names));
    }
    return left;
  }

  /** All between brackets. @returns {Formula[]} */
  function bracketed() {
    const found = [];
    do found.push(level(0));
    while (taken(","));
    taken(")");
    return found;
  }

  /** @returns {Formula} */
  function atom() {
    if (taken("(")) return bracketed()[0];
    if (taken("-")) {
      const positive = level(LEVELS.length - 1);
      return (names) => SIGNS["-"]([0, 0], positive(names));
    }
    const word = tokens[next++];
    if (!taken("(")) return /\d/.test(word[0]) ? () => sizedNumber(Number(word)) : (names) => names[word];
    const given = bracketed();
    return (names) => {
      const found = given.map((one) => one(names));
      const x = FUNCTIONS[word](...found.map(([value]) => value));
      return [x, Math.max(Math.abs(x), ...found.map(([, size]) => size))];
    };
  }

  return level(0);
}

/** The names in a text, each once. @param {string} text @returns {string[]} */
const namesIn = (text) => [...new Set(text.match(/\b[a-z]\w*/gi) || [])].filter((name) => !(name in FUNCTIONS));

/** @typedef {{wanted: string[], made: {line: string, name: string, act: Formula, plain: boolean}[]}} Program
 *  wanted: names that no line before their use makes; plain: a name alone */

/** Lines "m = 2 * x", of which the last has no name. @param {string[]} lines @returns {Program} */
function parsedLines(lines) {
  const [wanted, made] = [new Set(), []];
  for (const line of lines) {
    const [, name = "", words] = /^(?:(\w+) = )?(.*)$/.exec(line);
    for (const one of namesIn(words)) if (!made.some((before) => before.name === one)) wanted.add(one);
    made.push({ line, name, act: parsed(words), plain: /^[a-z]\w*$/i.test(words) });
  }
  return { wanted: [...wanted], made };
}

/** @type {Map<string, Program>} */
const programs = new Map();

/** @param {string[]} lines */
function programOf(lines) {
  const key = lines.join("\n");
  if (!programs.has(key)) programs.set(key, parsedLines(lines));
  return programs.get(key);
}

/** @param {string} text */
const formulaOf = (text) => programOf([text]).made[0].act;
