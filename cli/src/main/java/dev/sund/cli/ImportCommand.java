package dev.sund.cli;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sund import}: what was set for another network, as Sund's own objects. */
@Command(
    name = "import",
    header = "Turn what was set for another network into Sund's own objects.",
    description = {
      "",
      "What Calico and flannel were set to by objects of the cluster (IPPool, Installation,"
          + " calico-config, calico-node, kube-flannel-cfg) needs no import: agents read it."
    },
    footer = {"  sund import cilium-values values.yaml > sund.yaml"},
    subcommands = ImportCiliumCommand.class)
public final class ImportCommand implements Runnable {
  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
