// Which Node may run what. Parsed by Node 18, like everything in this folder: it runs before the
// workspace's own Node is installed.

/** The oldest Node that runs Varve: `engines` of every package says the same (a root test compares). */
export const minimumNode = "22.15.0";

/** The oldest Node that can set the workspace up; pnpm asks for it. */
export const minimumSetupNode = "18.0.0";

/**
 * @param {string} version such as `v22.15.0` or `22.15.0`
 * @param {string} minimum such as `22.15.0`
 * @returns {boolean} whether `version` is `minimum` or newer; a pre-release counts as its release
 */
export function isAtLeast(version, minimum) {
  const have = numbers(version);
  const want = numbers(minimum);
  for (let i = 0; i < 3; i++) {
    const difference = (have[i] ?? 0) - (want[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** @param {string} version */
function numbers(version) {
  return version.replace(/^v/, "").split(/[.-]/).slice(0, 3).map(Number);
}
