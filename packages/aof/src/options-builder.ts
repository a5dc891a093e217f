/**
 * Settings put together step by step. The steps are made from the list of settings that a log accepts and typed from
 * `AofSettings`, so that neither can know a name that the other does not.
 *
 * Always true: a builder never changes; each step answers with a new one, so that a common beginning may be shared.
 */
import { AofError } from "./errors.ts";
import { type AofPreset, type AofPresetName, presets } from "./presets.ts";
import { describe } from "./describe.ts";
import { aofSettingNames, type AofSettings, resolveAofSettings } from "./settings.ts";

/** One step for each setting, named after it. `undefined` takes a setting back to its default. */
export type AofSettingSteps = {
  readonly [Name in keyof AofSettings]-?: (value: AofSettings[Name] | undefined) => AofOptionsBuilder;
};

/** See {@link aofOptions}. */
export interface AofOptionsBuilder extends AofSettingSteps {
  /** The step of that name, for names that are known only at run time. */
  set<Name extends keyof AofSettings>(name: Name, value: AofSettings[Name] | undefined): AofOptionsBuilder;
  /** Takes over everything that a preset says, by name or as data, over what was set before. */
  preset(preset: AofPresetName | AofPreset): AofOptionsBuilder;
  /**
   * The settings, frozen, for `Aof.open`: what was set, without the defaults.
   * @throws AofError `INVALID_SETTINGS` naming every problem of every step, or `INVALID_SEGMENT_SIZE` when that alone is
   * wrong
   */
  build(): AofSettings;
}

/** Steps that are no settings; a setting may not be called like them. */
const ownSteps = ["set", "preset", "build"];

/**
 * Begins with nothing set: `aofOptions("data").preset("highThroughput").bufferBytes(2 ** 24).build()`. Nothing is
 * checked before `build`, which reports all problems at once.
 * @param dir may also be set by its step
 */
export function aofOptions(dir?: string): AofOptionsBuilder {
  return builderOf(dir === undefined ? {} : { dir }, []);
}

type Given = Readonly<Record<string, unknown>>;

function builderOf(given: Given, problems: readonly string[]): AofOptionsBuilder {
  const set = (name: string, value: unknown): AofOptionsBuilder => builderOf({ ...given, [name]: value }, problems);
  const steps: Record<string, unknown> = {};
  for (const name of aofSettingNames) {
    if (!ownSteps.includes(name)) steps[name] = (value: unknown) => set(name, value);
  }
  return Object.freeze({
    ...(steps as unknown as AofSettingSteps),
    set,
    preset: (preset: AofPresetName | AofPreset): AofOptionsBuilder => {
      if (typeof preset === "object" && preset !== null) return builderOf({ ...given, ...preset }, problems);
      if (Object.hasOwn(presets, preset)) return builderOf({ ...given, ...presets[preset] }, problems);
      const names = Object.keys(presets).join(" or ");
      return builderOf(given, [...problems, `preset: got ${describe(preset)}, want ${names}, or settings`]);
    },
    build: () => {
      const found = [...problems];
      const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      try {
        resolveAofSettings(settings as unknown as AofSettings);
      } catch (error) {
        if (found.length === 0 || !(error instanceof AofError)) throw error;
        found.push(error.message);
      }
      if (found.length > 0) throw new AofError("INVALID_SETTINGS", found.join("\n"));
      return Object.freeze(settings) as unknown as AofSettings;
    },
  });
}
