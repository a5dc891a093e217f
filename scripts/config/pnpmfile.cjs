// The packages that carry Node itself (optionalDependencies of the root) state their platform as a
// string where a list is expected, so pnpm would download every one of them, 100 MB each.
// Written as lists, only the one for this machine is fetched.
module.exports = {
  hooks: {
    /** @param {Record<string, unknown>} manifest */
    readPackage(manifest) {
      for (const field of ["os", "cpu"]) {
        if (typeof manifest[field] === "string") manifest[field] = [manifest[field]];
      }
      return manifest;
    },
  },
};
