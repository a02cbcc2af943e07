package dev.sund.cli;

import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.ConfigException;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.snapshot.Snapshot;
import dev.sund.model.Condition;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
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

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description = "How to reach the API server (default: KUBECONFIG, then ~/.kube/config).")
  @Nullable Path kubeconfig;

  @Option(names = "--to", paramLabel = "FILE", description = "Where to write (default: print it).")
  @Nullable Path to;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    ApiServer server = server();
    Snapshot.Taken taken;
    try (ApiObjects api = new ApiObjects(server, Dialer.HERE, PATIENCE)) {
      taken = Snapshot.take(api);
    } catch (IOException e) {
      throw CommandFailure.couldNotRun(
          "The API server " + server + " cannot be read: " + e.getMessage() + ".",
          "Check the kubeconfig and the way to the server.");
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

  private ApiServer server() {
    try {
      return Kubeconfig.read(path(), List.of(), System.getenv());
    } catch (ConfigException e) {
      Condition why = e.condition();
      throw CommandFailure.badInput(why.object() + ": " + why.text(), why.remedy());
    }
  }

  private Path path() {
    if (kubeconfig != null) {
      return kubeconfig;
    }
    return Optional.ofNullable(System.getenv("KUBECONFIG"))
        .filter(text -> !text.isEmpty())
        .map(Path::of)
        .orElseGet(() -> Path.of(System.getProperty("user.home"), ".kube", "config"));
  }
}
