package dev.sund.agent.cni;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The verbs of {@code CNI_COMMAND}, with what each one needs of the environment (C9). */
public enum CniCommand {
  /** Gives a container a network. */
  ADD(CniVersion.V0_1_0, "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"),
  /** Takes it away again; nothing to take away is no error (C2). */
  DEL(CniVersion.V0_1_0, "CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"),
  /** Says whether it is as it should be (C4). */
  CHECK(CniVersion.V0_4_0, "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"),
  /** Takes away what belongs to no container any more (C5). */
  GC(CniVersion.V1_1_0, "CNI_PATH"),
  /** Says whether ADD can be served (C6). */
  STATUS(CniVersion.V1_1_0, "CNI_PATH"),
  /** Lists the versions (C7). */
  VERSION(CniVersion.V0_1_0);

  private final CniVersion since;
  private final List<String> variables;

  CniCommand(CniVersion since, String... variables) {
    this.since = since;
    this.variables = List.of(variables);
  }

  /** The first version of the specification that has it. */
  public CniVersion since() {
    return since;
  }

  /** The variables that must not be empty, in the order in which they are listed when missing. */
  List<String> variables() {
    return variables;
  }

  static Optional<CniCommand> tryParse(String text) {
    return Arrays.stream(values()).filter(command -> command.name().equals(text)).findFirst();
  }
}
