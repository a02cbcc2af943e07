package dev.sund.doctor.inside;

import dev.sund.doctor.Facts;
import dev.sund.doctor.LineText;
import dev.sund.doctor.Rights;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.WholeFile;
import dev.sund.doctor.dns.DnsClient;
import dev.sund.doctor.dns.DnsQuestions;
import dev.sund.doctor.dns.ResolvConf;
import dev.sund.doctor.pods.PodNetwork;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Tells the fact {@value dev.sund.doctor.Facts#POD_DNS}: what a pod's {@code resolv.conf} says, and
 * what its servers answer to questions that are asked in the pod's network. A few small questions
 * to the cluster's DNS; nothing else is sent.
 */
public final class PodNames implements Facts {
  /** Less than the 5 s after which C libraries ask again: who is slower is as good as silent. */
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  /** C libraries know no more. */
  private static final int MOST_SERVERS = 3;

  private static final String USUAL_DOMAIN = "cluster.local";

  private final Path root;
  private final PodNetwork pod;
  private final List<String> asked;

  /**
   * A pod's.
   *
   * @param root of the node's file systems
   * @param asked the names that are asked for; none: that of the API server's Service
   */
  public PodNames(Path root, PodNetwork pod, List<String> asked) {
    this.root = root;
    this.pod = pod;
    this.asked = List.copyOf(asked);
  }

  /**
   * The servers that the pod's {@code resolv.conf} names; none of them is asked.
   *
   * @throws UnreadException when the file cannot be read
   */
  public List<Ip> servers() throws UnreadException {
    return read(file()).servers();
  }

  @Override
  public String tell(String name) throws UnreadException {
    Path file = file();
    ResolvConf conf = read(file);
    LineText text = new LineText();
    text.word("file", file)
        .list("servers", conf.servers().stream().map(Ip::toString).toList())
        .list("search", conf.search())
        .word("ndots", conf.ndots())
        .list("options", conf.options())
        .word("domain", conf.clusterDomain().orElse(""))
        .end();
    List<String> names =
        asked.isEmpty()
            ? List.of("kubernetes.default.svc." + conf.clusterDomain().orElse(USUAL_DOMAIN))
            : asked;
    try {
      DnsQuestions questions =
          new DnsQuestions(new DnsClient(NetNs.at(pod.namespace()), PATIENCE), text);
      List<Ip> servers = conf.servers().subList(0, Math.min(MOST_SERVERS, conf.servers().size()));
      for (Ip server : servers) {
        questions.server(server, names.getFirst());
        Optional<PathMtu.Known> mtu = PathMtu.to(NetNs.at(pod.namespace()), server);
        if (mtu.isPresent()) {
          text.word("path", server)
              .word("device-mtu", mtu.get().device())
              .word("mtu", mtu.get().path())
              .end();
        }
      }
      if (!servers.isEmpty()) {
        for (String one : names) {
          questions.name(servers.getFirst(), one, conf.expansions(one));
        }
      }
      return text.toString();
    } catch (KernelException e) {
      throw new UnreadException(
          "the network of " + pod.name() + ": " + e.getMessage(), Rights.remedy());
    }
  }

  private static ResolvConf read(Path file) throws UnreadException {
    try {
      return ResolvConf.parse(WholeFile.text(file));
    } catch (IOException e) {
      throw new UnreadException(
          file + ": " + (e instanceof NoSuchFileException ? "is not there" : e.getMessage()),
          "The pod's image has no resolv.conf; is its container running?");
    }
  }

  /** Where the pod's resolv.conf is: each of its containers has the same one in its place. */
  private Path file() throws UnreadException {
    if (pod.pid().isPresent()) {
      return conf(pod.pid().getAsLong());
    }
    OptionalLong inode = NetNs.at(pod.namespace()).inode();
    for (long pid : processes()) {
      Path network = root.resolve("proc/" + pid + "/ns/net");
      if (inode.isPresent() && NetNs.at(network).inode().equals(inode) && Files.exists(conf(pid))) {
        return conf(pid);
      }
    }
    throw new UnreadException(
        "no process is in the network of " + pod.name() + ", so its resolv.conf is not known",
        "Name the pod by a process or a container that runs in it.");
  }

  private Path conf(long pid) {
    return root.resolve("proc/" + pid + "/root/etc/resolv.conf");
  }

  private List<Long> processes() {
    List<Long> pids = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(root.resolve("proc"), "[1-9]*")) {
      for (Path entry : entries) {
        String name = String.valueOf(entry.getFileName());
        if (name.matches("[0-9]{1,10}")) {
          pids.add(Long.parseLong(name));
        }
      }
    } catch (IOException _) {
      return List.of();
    }
    pids.sort(null);
    return pids;
  }
}
