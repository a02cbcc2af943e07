package dev.sund.doctor.pods;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is written on this node of pods and their networks: Sund's attachments, and the results that
 * runtimes keep of any CNI plugin ({@code /var/lib/cni}, by libcni's {@code cniCacheV1}). A file
 * that cannot be read is left out; a namespace that is no more is, too.
 */
final class PodRecords {
  private static final List<String> CACHES =
      List.of("var/lib/cni/results", "var/lib/cni/cache/results");

  private final Path root;
  private final Path attachments;
  private final List<Entry> entries = new ArrayList<>();
  private final List<String> looked = new ArrayList<>();

  /**
   * A pod's network that is written down.
   *
   * @param pod {@code NAMESPACE/NAME}; empty when it is no pod's
   * @param container its sandbox's id
   * @param namespace where the network is
   * @param addresses of the pod
   * @param source where this is written, for people
   */
  record Entry(String pod, String container, Path namespace, List<Ip> addresses, String source) {}

  PodRecords(Path root, Path stateDir) {
    this.root = root;
    this.attachments = stateDir.resolve("attachments");
  }

  /** Reads all, now. */
  PodRecords read() {
    entries.clear();
    looked.clear();
    fold(attachments, "Sund's records", PodRecords::attachment);
    for (String cache : CACHES) {
      fold(root.resolve(cache), "the runtimes' CNI results", PodRecords::cached);
    }
    return this;
  }

  /** Those whose namespaces are there. */
  List<Entry> entries() {
    return List.copyOf(entries);
  }

  /** Where was looked, with how many were found, for people. */
  List<String> looked() {
    return List.copyOf(looked);
  }

  private interface Form {
    Optional<Entry> read(Tree.Mapping fields, String source);
  }

  private void fold(Path folder, String what, Form form) {
    int before = entries.size();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        if (Files.isRegularFile(file)) {
          read(file).flatMap(fields -> form.read(fields, what)).ifPresent(this::add);
        }
      }
      looked.add(what + " in " + folder + " (" + (entries.size() - before) + ")");
    } catch (NoSuchFileException | NotDirectoryException _) {
      looked.add(what + " in " + folder + " (there are none)");
    } catch (IOException e) {
      looked.add(
          what + " in " + folder + " (" + e.getClass().getSimpleName() + ": run it as root)");
    }
  }

  private void add(Entry entry) {
    Path there = root.resolve(entry.namespace().toString().substring(1));
    if (Files.exists(there)) {
      entries.add(
          new Entry(entry.pod(), entry.container(), there, entry.addresses(), entry.source()));
    }
  }

  private static Optional<Tree.Mapping> read(Path file) {
    try {
      return JsonTrees.parse(Files.readString(file)) instanceof Tree.Mapping fields
          ? Optional.of(fields)
          : Optional.empty();
    } catch (IOException _) {
      return Optional.empty(); // gone meanwhile, being written, or not JSON
    }
  }

  private static Optional<Entry> attachment(Tree.Mapping fields, String source) {
    return entry(
        fields.text("pod").orElse(""),
        fields.text("containerId").orElse(""),
        fields.text("netns").orElse(""),
        texts(fields.get("addresses")),
        source);
  }

  private static Optional<Entry> cached(Tree.Mapping fields, String source) {
    Map<String, String> arguments = new LinkedHashMap<>();
    for (Tree pair : items(fields.get("cniArgs"))) {
      List<String> texts = texts(Optional.of(pair));
      if (texts.size() == 2) {
        arguments.put(texts.get(0), texts.get(1));
      }
    }
    String namespace = arguments.getOrDefault("K8S_POD_NAMESPACE", "");
    String name = arguments.getOrDefault("K8S_POD_NAME", "");
    Tree.Mapping result = fields.mapping("result").orElse(fields);
    String sandbox = fields.text("netns").orElse("");
    for (Tree one : items(result.get("interfaces"))) {
      if (sandbox.isEmpty() && one instanceof Tree.Mapping device) {
        sandbox = device.text("sandbox").orElse("");
      }
    }
    List<String> addresses = new ArrayList<>();
    for (Tree one : items(result.get("ips"))) {
      if (one instanceof Tree.Mapping ip) {
        ip.text("address").ifPresent(text -> addresses.add(text.split("/", 2)[0]));
      }
    }
    return entry(
        name.isEmpty() ? "" : namespace + "/" + name,
        fields.text("containerId").orElse(""),
        sandbox,
        addresses,
        source);
  }

  private static Optional<Entry> entry(
      String pod, String container, String namespace, List<String> addresses, String source) {
    return namespace.startsWith("/")
        ? Optional.of(
            new Entry(
                pod,
                container,
                Path.of(namespace),
                addresses.stream().flatMap(text -> Ip.tryParse(text).stream()).toList(),
                source))
        : Optional.empty();
  }

  private static List<Tree> items(Optional<Tree> tree) {
    return tree.isPresent() && tree.get() instanceof Tree.Sequence list ? list.items() : List.of();
  }

  private static List<String> texts(Optional<Tree> tree) {
    return items(tree).stream()
        .flatMap(
            item -> item instanceof Tree.Scalar text ? Optional.of(text.text()).stream() : null)
        .toList();
  }
}
