package dev.sund.doctor.pods;

import dev.sund.doctor.Rights;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeSet;

/**
 * Finds the network of a pod on this node by whatever names it:
 *
 * <ul>
 *   <li>{@code shop/web-0}, or {@code web-0} where it is the only one: a pod, by Sund's records,
 *       the runtimes' CNI results, or the kubelet's folder of logs and the pod's control groups;
 *   <li>{@code 5f2c9a...}, also {@code containerd://5f2c9a...}: a container, by the beginning of
 *       its id, in control groups and in runtimes' state; what {@code ctr} calls by a name, too;
 *   <li>{@code 4711}: a process;
 *   <li>{@code 10.244.1.5}: an address that a namespace of this node has;
 *   <li>{@code /run/netns/NAME}, or {@code NAME}: a namespace itself.
 * </ul>
 *
 * <p>Asks no program and no server. What cannot be found is answered with all that was looked at.
 * Needs CAP_SYS_PTRACE to see other users' processes, and CAP_SYS_ADMIN for the addresses of
 * namespaces without a process. One thread at a time, never a virtual one.
 */
public final class PodSearch {
  private static final Path DIRECTORY = Path.of("run/netns");

  private final Path root;
  private final Processes processes;
  private final RuntimeState runtimes;
  private final PodRecords records;

  /**
   * Looks at a node.
   *
   * @param root the root of the node's file system
   * @param stateDir where an agent of Sund keeps its records; it need not be there
   */
  public PodSearch(Path root, Path stateDir) {
    this.root = root;
    this.processes = new Processes(root);
    this.runtimes = new RuntimeState(root);
    this.records = new PodRecords(root, stateDir);
  }

  /**
   * The network of what is asked for.
   *
   * @throws NoSuchPodException when there is none, or several are meant
   */
  public PodNetwork find(String asked) throws NoSuchPodException {
    records.read();
    int scheme = asked.indexOf("://");
    String text = scheme > 0 ? asked.substring(scheme + 3) : asked;
    Optional<Ip> address = Ip.tryParse(text);
    if (text.isEmpty()) {
      throw new NoSuchPodException("An empty name is no pod.", "Name one: NAMESPACE/NAME.");
    } else if (text.startsWith("/")) {
      return ofPath(Path.of(text));
    } else if (address.isPresent()) {
      return ofAddress(address.get());
    } else if (text.matches("[0-9]{1,10}")) {
      return ofProcess(Long.parseLong(text));
    } else if (text.contains("/")) {
      return ofPod(text);
    }
    return ofName(text);
  }

  /** What addresses of this node's pods are called, as far as it is written down. */
  public Map<Ip, String> names() {
    Map<Ip, String> names = new LinkedHashMap<>();
    for (PodRecords.Entry entry : records.read().entries()) {
      if (!entry.pod().isEmpty()) {
        entry.addresses().forEach(address -> names.put(address, entry.pod()));
      }
    }
    return names;
  }

  private PodNetwork ofPath(Path path) throws NoSuchPodException {
    if (!Files.isRegularFile(path)) {
      throw new NoSuchPodException(
          path + " is no namespace's file.", "ip netns and ls /run/netns name those there are.");
    }
    return entered(path, path.toString(), "its file");
  }

  private PodNetwork ofProcess(long pid) throws NoSuchPodException {
    Optional<Processes.Running> process = processes.process(pid);
    if (process.isEmpty()) {
      throw processes.has(pid)
          ? new NoSuchPodException(
              "Process " + pid + " is another user's, and its network is not shown.",
              Rights.remedy())
          : new NoSuchPodException(
              "There is no process " + pid + ".",
              "Take the number as this node sees it (crictl inspect, lsns -t net).");
    }
    return of(process.get(), Long.toString(pid), "process " + pid);
  }

  private PodNetwork ofPod(String pod) throws NoSuchPodException {
    List<String> tried = new ArrayList<>(records.looked());
    for (PodRecords.Entry entry : records.entries()) {
      if (entry.pod().equals(pod)) {
        return of(entry);
      }
    }
    String[] parts = pod.split("/", 2);
    Map<String, String> uids = uids();
    tried.add("the kubelet's folder " + logs() + " (" + uids.size() + " pods)");
    String uid = uids.get(parts[0] + "/" + parts[1]);
    if (uid != null) {
      List<Processes.Running> all = processes.all();
      for (Processes.Running process : all) {
        if (process.isOfPod(uid)) {
          return of(process, pod, "process " + process.pid() + " of pod uid " + uid);
        }
      }
      tried.add("the control groups of " + all.size() + " processes for uid " + uid);
    }
    throw none("pod " + pod, tried, near(pod, uids));
  }

  private PodNetwork ofName(String name) throws NoSuchPodException {
    List<String> tried = new ArrayList<>();
    boolean hash = name.matches("[0-9a-f]{4,64}");
    if (hash) {
      Optional<PodNetwork> found = ofContainer(name, tried);
      if (found.isPresent()) {
        return found.get();
      }
    }
    List<RuntimeState.Container> named = runtimes.named(name, true);
    if (!named.isEmpty()) {
      return of(named.getFirst());
    }
    tried.add("the state of runtimes " + runtimes.runtimes());
    Path namespace = root.resolve(DIRECTORY).resolve(name);
    if (Files.isRegularFile(namespace)) {
      return entered(namespace, name, "ip netns");
    }
    tried.add(namespace.toString());
    TreeSet<String> pods = new TreeSet<>(uids().keySet());
    records.entries().forEach(entry -> pods.add(entry.pod()));
    List<String> same = pods.stream().filter(pod -> pod.endsWith("/" + name)).toList();
    if (same.size() == 1) {
      return ofPod(same.getFirst());
    } else if (same.size() > 1) {
      throw new NoSuchPodException(
          "Several pods are called " + name + ": " + String.join(", ", same) + ".",
          "Name it as NAMESPACE/NAME.");
    }
    tried.add("the names of " + pods.size() + " pods");
    throw none("pod or container " + name, tried, "");
  }

  private Optional<PodNetwork> ofContainer(String begin, List<String> tried)
      throws NoSuchPodException {
    Map<String, Processes.Running> found = new LinkedHashMap<>();
    List<Processes.Running> all = processes.all();
    for (Processes.Running process : all) {
      for (String id : process.containers()) {
        if (id.startsWith(begin)) {
          found.putIfAbsent(id, process);
        }
      }
    }
    tried.add("the control groups of " + all.size() + " processes");
    if (found.size() > 1) {
      throw several(begin, found.keySet());
    } else if (!found.isEmpty()) {
      Map.Entry<String, Processes.Running> one = found.entrySet().iterator().next();
      return Optional.of(
          of(one.getValue(), one.getKey(), "process " + one.getValue().pid() + "'s control group"));
    }
    List<RuntimeState.Container> state = runtimes.named(begin, false);
    if (state.size() > 1) {
      throw several(begin, state.stream().map(RuntimeState.Container::id).toList());
    } else if (!state.isEmpty()) {
      return Optional.of(of(state.getFirst()));
    }
    for (PodRecords.Entry entry : records.entries()) {
      if (entry.container().startsWith(begin)) {
        return Optional.of(of(entry));
      }
    }
    tried.addAll(records.looked());
    return Optional.empty();
  }

  private PodNetwork ofAddress(Ip address) throws NoSuchPodException {
    for (PodRecords.Entry entry : records.entries()) {
      if (entry.addresses().contains(address)) {
        return of(entry);
      }
    }
    List<String> tried = new ArrayList<>(records.looked());
    Map<String, Processes.Running> networks = new LinkedHashMap<>();
    processes.all().forEach(process -> networks.putIfAbsent(process.network(), process));
    for (Processes.Running process : networks.values()) {
      if (addresses(process.pid()).contains(address)) {
        return of(process, address.toString(), "process " + process.pid() + " has the address");
      }
    }
    tried.add("the networks of all processes (" + networks.size() + ")");
    int named = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(root.resolve(DIRECTORY))) {
      for (Path file : files) {
        PodNetwork network = entered(file, address.toString(), "the namespace has the address");
        named++;
        if (network.addresses().contains(address)) {
          return network;
        }
      }
    } catch (IOException _) {
      // no namespace has a name
    }
    tried.add("the namespaces in " + root.resolve(DIRECTORY) + " (" + named + ")");
    throw none(
        "pod with the address " + address, tried, " Is it on this node? kubectl get pods -o wide.");
  }

  private PodNetwork of(RuntimeState.Container container) throws NoSuchPodException {
    Processes.Running process =
        processes
            .process(container.pid())
            .orElseThrow(() ->
                new NoSuchPodException(
                    "Container %s of %s is process %d, which is not there or not to be seen."
                        .formatted(container.id(), container.runtime(), container.pid()),
                    "Run it as root, by sudo; look whether the container runs."));
    return of(process, container.id(), container.runtime() + "'s state");
  }

  private PodNetwork of(PodRecords.Entry entry) {
    return new PodNetwork(
        entry.pod().isEmpty() ? entry.container() : entry.pod(),
        entry.namespace(),
        OptionalLong.empty(),
        entry.container(),
        entry.addresses(),
        false,
        entry.source());
  }

  private PodNetwork of(Processes.Running process, String asked, String how) {
    List<String> containers = process.containers();
    String pod = podOf(process);
    return new PodNetwork(
        pod.isEmpty() ? asked : pod,
        processes.namespace(process.pid()),
        OptionalLong.of(process.pid()),
        containers.isEmpty() ? "" : containers.getLast(),
        addresses(process.pid()),
        Optional.of(process.network()).equals(processes.ofNode()),
        how);
  }

  /** A namespace that is known by its file alone. */
  private PodNetwork entered(Path file, String asked, String how) {
    List<Ip> addresses = List.of();
    try {
      addresses =
          NetNs.call(
              file,
              () ->
                  LocalAddresses.read(
                      Files.readString(Path.of("/proc/thread-self/net/fib_trie")),
                      ifInet6(Path.of("/proc/thread-self/net/if_inet6"))));
    } catch (KernelException _) {
      // said when it is entered for its purpose
    } catch (IOException _) {
      // a kernel without IPv4: nothing to tell it by
    }
    String pod = "";
    for (PodRecords.Entry entry : records.entries()) {
      if (NetNs.at(entry.namespace()).inode().equals(NetNs.at(file).inode())) {
        pod = entry.pod();
      }
    }
    return new PodNetwork(
        pod.isEmpty() ? asked : pod, file, OptionalLong.empty(), "", addresses, false, how);
  }

  private List<Ip> addresses(long pid) {
    try {
      String inet6 = "";
      try {
        inet6 = processes.networkFile(pid, "if_inet6");
      } catch (IOException _) {
        // a network without IPv6
      }
      return LocalAddresses.read(processes.networkFile(pid, "fib_trie"), inet6);
    } catch (IOException _) {
      return List.of();
    }
  }

  private static String ifInet6(Path file) throws IOException {
    return Files.exists(file) ? Files.readString(file) : "";
  }

  /** Whose process it is; empty when that is not known. */
  private String podOf(Processes.Running process) {
    for (PodRecords.Entry entry : records.entries()) {
      if (!entry.container().isEmpty() && process.containers().contains(entry.container())) {
        return entry.pod();
      }
    }
    for (Map.Entry<String, String> pod : uids().entrySet()) {
      if (process.isOfPod(pod.getValue())) {
        return pod.getKey();
      }
    }
    return "";
  }

  /** The pods that the kubelet keeps logs of, with their uids: NAMESPACE_NAME_UID. */
  private Map<String, String> uids() {
    Map<String, String> uids = new LinkedHashMap<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(logs())) {
      for (Path folder : folders) {
        String[] parts = String.valueOf(folder.getFileName()).split("_", -1);
        if (parts.length == 3) {
          uids.put(parts[0] + "/" + parts[1], parts[2]);
        }
      }
    } catch (IOException _) {
      // no kubelet here
    }
    return uids;
  }

  private Path logs() {
    return root.resolve("var/log/pods");
  }

  private String near(String pod, Map<String, String> uids) {
    TreeSet<String> known = new TreeSet<>(uids.keySet());
    records.entries().forEach(entry -> known.add(entry.pod()));
    known.remove("");
    known.remove(pod);
    String name = pod.substring(pod.indexOf('/') + 1);
    List<String> near =
        known.stream().filter(one -> one.contains(name.split("-", 2)[0])).limit(5).toList();
    return near.isEmpty()
        ? " Is it on this node? kubectl get pods -o wide."
        : " There are " + String.join(", ", near) + ".";
  }

  private static NoSuchPodException none(String what, List<String> tried, String more) {
    return new NoSuchPodException(
        "There is no " + what + " on this node. Looked at " + String.join("; ", tried) + ".",
        "Name a pod as NAMESPACE/NAME, a container's id, a process or an address." + more);
  }

  private static NoSuchPodException several(String begin, Iterable<String> ids) {
    return new NoSuchPodException(
        "Several containers' ids begin with " + begin + ": " + String.join(", ", ids) + ".",
        "Give more of the id.");
  }
}
