/** Adds a header to a command's request before it is signed, for what the command's members do not offer. */
export function withHeader(command: MiddlewareHolder, name: string, value: string | ((body: unknown) => string)): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args as { request: { headers: Record<string, string>; body?: unknown } };
      request.headers[name] = typeof value === "string" ? value : value(request.body);
      return next(args);
    },
    { step: "build", name: `varve ${name}`, priority: "low" },
  );
}

interface MiddlewareHolder {
  readonly middlewareStack: {
    add(
      middleware: <Args extends object, Result>(next: (args: Args) => Result) => (args: Args) => Result,
      options: { readonly step: "build"; readonly name: string; readonly priority: "low" },
    ): void;
  };
}
