package dev.sund.doctor.check;

import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The CNI configuration that a node's container runtime reads.
 *
 * @param folder where it looks
 * @param networks its files in the order of their names, of which it takes the first
 * @param folders where it looks for plugins
 * @param binaries the plugins that are there
 */
record Cni(String folder, List<Network> networks, List<String> folders, Set<String> binaries) {
  /**
   * A file.
   *
   * @param file its name
   * @param name of the network
   * @param version {@code cniVersion}
   * @param plugins in the order in which they are called
   * @param broken why it cannot be used; empty when it can
   */
  record Network(
      String file, String name, String version, List<Plugin> plugins, Optional<String> broken) {
    /** Only a loopback device, which every runtime makes by itself. */
    boolean isLoopback() {
      return !plugins.isEmpty() && plugins.stream().allMatch(one -> one.type.equals("loopback"));
    }
  }

  /** One plugin of a network. */
  record Plugin(String type, Tree.Mapping settings) {
    /** A setting that is true or false. */
    boolean is(String key) {
      return settings.text(key).filter("true"::equals).isPresent();
    }
  }

  private static final List<String> FOLDERS =
      List.of("var/lib/rancher/k3s/agent/etc/cni/net.d", "etc/cni/net.d");
  private static final List<String> RUNTIMES =
      List.of(
          "var/lib/rancher/k3s/agent/etc/containerd/config.toml",
          "etc/containerd/config.toml",
          "etc/crio/crio.conf");
  private static final List<String> BINARIES =
      List.of(
          "opt/cni/bin",
          "usr/lib/cni",
          "usr/libexec/cni",
          "var/lib/rancher/k3s/data/current/bin",
          "var/lib/rancher/k3s/data/cni");
  private static final Pattern CONFIGURED =
      Pattern.compile("(?m)^\\s*(conf_dir|network_dir)\\s*=\\s*\"([^\"]+)\"");
  private static final Pattern PLUGINS =
      Pattern.compile("(?m)^\\s*(?:bin_dirs?|plugin_dirs?)\\s*=\\s*\\[?\\s*([^\\]\\n]+)");
  private static final Pattern QUOTED = Pattern.compile("\"([^\"]+)\"");

  static Cni of(Host host) throws UnreadException {
    return host.once(Cni.class, Cni::read);
  }

  private static Cni read(Host host) throws UnreadException {
    Set<String> configured = new LinkedHashSet<>();
    Set<String> places = new LinkedHashSet<>();
    for (String file : RUNTIMES) {
      String text = host.textIfThere(file).orElse("");
      Matcher folder = CONFIGURED.matcher(text);
      while (folder.find()) {
        configured.add(folder.group(2).replaceFirst("^/+", ""));
      }
      Matcher lists = PLUGINS.matcher(text);
      while (lists.find()) {
        Matcher each = QUOTED.matcher(lists.group(1));
        while (each.find()) {
          places.add(each.group(1).replaceFirst("^/+", ""));
        }
      }
    }
    configured.addAll(FOLDERS);
    if (places.isEmpty()) {
      places.addAll(BINARIES);
    }
    String folder = "etc/cni/net.d";
    for (String one : configured) {
      if (host.has(one)) {
        folder = one;
        break;
      }
    }
    List<Network> networks = new ArrayList<>();
    for (String file : host.names(folder)) {
      if (file.matches(".*\\.(conf|conflist|json)")) {
        networks.add(network(file, host.text(folder + "/" + file)));
      }
    }
    Set<String> binaries = new LinkedHashSet<>();
    List<String> there = new ArrayList<>();
    for (String place : places) {
      if (host.has(place)) {
        there.add(place);
        binaries.addAll(host.names(place));
      }
    }
    return new Cni(folder, networks, there, binaries);
  }

  private static Network network(String file, String text) {
    Tree tree;
    try {
      tree = JsonTrees.parse(text);
    } catch (MalformedException e) {
      return broken(file, "line " + e.line() + ": " + e.getMessage());
    }
    if (!(tree instanceof Tree.Mapping whole)) {
      return broken(file, "it is " + tree.described());
    }
    List<Plugin> plugins = new ArrayList<>();
    if (whole.get("plugins").orElse(null) instanceof Tree.Sequence sequence) {
      for (Tree item : sequence.items()) {
        if (!(item instanceof Tree.Mapping plugin) || plugin.text("type").isEmpty()) {
          return broken(file, "line " + item.line() + ": a plugin has no type");
        }
        plugins.add(new Plugin(plugin.text("type").orElseThrow(), plugin));
      }
    } else if (whole.text("type").isPresent()) {
      plugins.add(new Plugin(whole.text("type").orElseThrow(), whole));
    }
    Optional<String> fault = Optional.empty();
    if (whole.text("name").isEmpty()) {
      fault = Optional.of("the network has no name");
    } else if (plugins.isEmpty()) {
      fault = Optional.of("it names no plugin");
    }
    return new Network(
        file, whole.text("name").orElse(""), whole.text("cniVersion").orElse(""), plugins, fault);
  }

  private static Network broken(String file, String why) {
    return new Network(file, "", "", List.of(), Optional.of(why));
  }

  /** The one that the runtime uses. */
  Optional<Network> used() {
    for (Network network : networks) {
      if (network.broken.isEmpty() && !network.isLoopback()) {
        return Optional.of(network);
      }
    }
    return Optional.empty();
  }
}
