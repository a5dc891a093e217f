// A warning of Node (a lost file handle, a leaking listener, a deprecated call) fails the run: thrown
// here it is an uncaught exception, which vitest reports beside the test that was running.
process.on("warning", (warning) => {
  throw warning;
});
