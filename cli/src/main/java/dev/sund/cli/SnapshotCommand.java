package dev.sund.cli;

import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.snapshot.Snapshot;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund snapshot}: a real cluster as one file for the lab. */
@Command(
    name = "snapshot",
    header = "Collect what matters of a cluster into one file for lab -f and trace -f.",
    description = {
      "",
      "Lists the kinds that Sund reads and keeps the fields that it uses: names, labels, addresses,"
          + " ports, policies, pools, settings. No Secrets are read and no environment"
          + " values written. Changes nothing."
    },
    footer = {
      "  sund snapshot --to cluster.json",
      "  sund snapshot --kubeconfig admin.conf > cluster.json",
      "  sudo sund lab -f cluster.json"
    })
public final class SnapshotCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @Mixin KubeconfigOption kubeconfig = new KubeconfigOption();

  @Option(names = "--to", paramLabel = "FILE", description = "Where to write (default: print it).")
  @Nullable Path to;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    ApiServer server = kubeconfig.server();
    Snapshot.Taken taken;
    try (ApiObjects api = new ApiObjects(server, Dialer.HERE, PATIENCE)) {
      taken = Snapshot.take(api);
    } catch (IOException e) {
      throw KubeconfigOption.unanswered(server, e);
    }
    if (to == null) {
      spec.commandLine().getOut().print(taken.json());
      spec.commandLine().getOut().flush();
    } else {
      Files.writeString(to, taken.json());
    }
    taken.unread().forEach(what -> err.println("note: not read: " + what));
    new TreeMap<>(taken.counts()).forEach((kind, count) -> err.println(count + " " + kind));
    err.flush();
    return taken.unread().isEmpty() ? ExitCode.OK : ExitCode.DIFFERS;
  }
}
