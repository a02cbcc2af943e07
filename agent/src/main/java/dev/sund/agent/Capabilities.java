package dev.sund.agent;

import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The capabilities that the agent needs, and whether this process has them. An agent runs with
 * these and no others; {@code docs/operations.md} says what each is for.
 */
final class Capabilities {
  /** One that is needed: its number in {@code linux/capability.h} and what for. */
  private record Needed(int bit, String name, String why) {}

  private static final List<Needed> NEEDED =
      List.of(
          new Needed(12, "CAP_NET_ADMIN", "writes routes, devices, nf_tables and net sysctls"),
          new Needed(21, "CAP_SYS_ADMIN", "enters pods' network namespaces"));

  private Capabilities() {}

  /** One condition for each capability that this process lacks. */
  static List<Condition> missing() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("CapEff:")) {
        return missing(Long.parseUnsignedLong(line.substring(7).strip(), 16));
      }
    }
    return List.of(); // a kernel that does not tell; the first refusal will
  }

  /** One condition for each capability that a set of bits lacks. */
  static List<Condition> missing(long effective) {
    List<Condition> conditions = new ArrayList<>();
    for (Needed needed : NEEDED) {
      if ((effective >>> needed.bit & 1) == 0) {
        conditions.add(
            new Condition(
                Reason.CAPABILITY_MISSING,
                new ObjectRef("process", "agent"),
                "",
                "The agent lacks " + needed.name + ", by which it " + needed.why + ".",
                "Run it as root, or grant " + needed.name + "."));
      }
    }
    return conditions;
  }
}
