package dev.sund.it.run;

import java.util.Locale;

/**
 * A group of tests that need the same of a machine, chosen by their JUnit tags.
 *
 * <p>Inside of a tier, tests with the tag {@code alone} (they measure time, or use much of the
 * machine) run after the others and one at a time.
 */
enum Tier {
  /** No root, no sleep. */
  UNIT("!netns & !interop & !guest & !fuzz", false),
  /** A real kernel, in namespaces of its own. */
  NETNS("netns & !interop & !guest", true),
  /** Programs of others as independent readers and peers. */
  INTEROP("interop & !guest", true),
  /** Kernel features that need another kernel: one worker in a {@link Guest}, booted once. */
  GUEST("guest", true),
  /** Fuzz targets over their recorded inputs. */
  FUZZ("fuzz & !netns & !interop & !guest", false);

  private final String tags;
  private final boolean needsRoot;

  Tier(String tags, boolean needsRoot) {
    this.tags = tags;
    this.needsRoot = needsRoot;
  }

  /** The tag expression of the tests that run side by side, or of those that run alone. */
  String tags(boolean alone) {
    return "(" + tags + ") & " + (alone ? "alone" : "!alone");
  }

  /** Whether its tests need root and are watched for what they leave behind. */
  boolean needsRoot() {
    return needsRoot;
  }

  /** How many workers it has. */
  int sideBySide() {
    return this == GUEST ? 1 : 2;
  }

  /** As printed. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
