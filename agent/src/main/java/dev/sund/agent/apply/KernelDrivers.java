package dev.sund.agent.apply;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Dataplane;
import dev.sund.dataplane.PodDriver;
import dev.sund.dataplane.nft.BridgeTableDriver;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.PolicyDriver;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Serving;
import dev.sund.engine.program.WrongEntry;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.RuleId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * The real {@link KernelSide}: a node's drivers by {@link Dataplane}. Before anything is written,
 * the drift filter is told what is wanted, so that it knows the echo.
 */
final class KernelDrivers extends DataplaneSide {
  /** The system property by which tests make an entry wrong, as {@link WrongEntry#parse} has it. */
  private static final String WRONG_ENTRY = "sund.test.wrongEntry";

  /** The drivers that what concerns no pod's link waits for. */
  private static final Set<String> OF_RULES =
      Set.of(NftDriver.NAME, PolicyDriver.NAME, BridgeTableDriver.NAME);

  private final PodDriver pods;
  private final NftDriver table;
  private final PolicyDriver policies;
  private final DriftFilter filter;
  private final Runnable devicesAreDoomed;
  private final Consumer<Collection<Serving>> connections;
  private final boolean mayRemoveStrays;
  private final UnaryOperator<ProgramDelta> spoiling;

  /** By device, which attachment's it is. */
  private final Map<String, String> attachments = new HashMap<>();

  private volatile Consumer<String> linksMade = _ -> {};
  private volatile Consumer<NftDriver.Counts> policyWork = _ -> {};

  /** Whose entries of the table have been wanted since all of it was last written. */
  private final Set<RuleId> inTable = new HashSet<>();

  /** Whose connections are to be looked up when all of the table is written. */
  private final List<Serving> serving = new ArrayList<>();

  /**
   * The drivers of a node.
   *
   * @param dataplane closed by whoever made it
   * @param devicesAreDoomed told when devices wait for their deletion
   * @param connections told who serves UDP frontends, once the table says so
   * @param mayRemoveStrays false when it is not known what was attached: then what is ours and not
   *     wanted stays
   */
  KernelDrivers(
      Dataplane dataplane,
      DriftFilter filter,
      Runnable devicesAreDoomed,
      Consumer<Collection<Serving>> connections,
      boolean mayRemoveStrays) {
    super(dataplane);
    this.pods = dataplane.driver(PodDriver.class).orElseThrow();
    this.table = dataplane.driver(NftDriver.class).orElseThrow();
    this.policies = dataplane.driver(PolicyDriver.class).orElseThrow();
    this.filter = filter;
    this.devicesAreDoomed = devicesAreDoomed;
    this.connections = connections;
    this.mayRemoveStrays = mayRemoveStrays;
    this.spoiling = spoiling();
  }

  /** Nothing, unless a test asks by a system property for one wrong entry that must be found. */
  private static UnaryOperator<ProgramDelta> spoiling() {
    String entry = System.getProperty(WRONG_ENTRY, "");
    return entry.isEmpty() ? UnaryOperator.identity() : WrongEntry.parse(entry);
  }

  /** Tells after each cycle what has been done to the table of policies, on the same thread. */
  void tellPolicyWork(Consumer<NftDriver.Counts> listener) {
    policyWork = listener;
  }

  /** Tells of attachments whose link was made, or went up, on the data plane's thread. */
  void tellLinks(Consumer<String> listener) {
    linksMade = listener;
  }

  @Override
  public void attached(String device, Attachment attachment) {
    attachments.put(device, attachment.key());
    pods.place(
        device, new PodDriver.Place(Path.of(attachment.netns()), attachment.interfaceName()));
  }

  @Override
  public void detached(String device) {
    attachments.remove(device);
    pods.forget(device);
  }

  @Override
  public void want(ProgramDelta delta) {
    ProgramDelta lowered = spoiling.apply(delta);
    filter.want(lowered);
    dataplane.want(lowered);
    lowered.masquerade().forEach(change -> inTable.add(change.row().rule()));
    lowered.frontends().forEach(change -> inTable.add(change.row().rule()));
    lowered.endpoints().forEach(change -> inTable.add(change.row().rule()));
  }

  @Override
  public void serving(Collection<Serving> changed) {
    serving.addAll(changed);
  }

  @Override
  public void allowSweep() {
    if (mayRemoveStrays) {
      dataplane.allowSweep();
    }
  }

  @Override
  public Map<String, ApplyReport> apply(int most) {
    Map<String, ApplyReport> reports = dataplane.applyEach(most);
    policyWork.accept(policies.counts());
    ApplyReport ofPods = reports.get(pods.name());
    if (ofPods != null && !ofPods.done().isEmpty()) {
      devicesAreDoomed.run(); // cheap when there are none
      for (String device : ofPods.resetDevices()) {
        Optional.ofNullable(attachments.get(device)).ifPresent(linksMade);
      }
    }
    if (table.pending() == 0) {
      inTable.clear();
      connections.accept(List.copyOf(serving));
      serving.clear();
    }
    return reports;
  }

  @Override
  public Progress attachProgress(LocalPod pod) {
    Optional<Condition> obstacle = obstacle(pod);
    if (obstacle.isPresent()) {
      return new Progress.Failed(obstacle.get());
    }
    return dataplane.settled(pod) && !waitsForTable(pod)
        ? new Progress.Done()
        : new Progress.Pending();
  }

  /** Whether something of the pod's own is still to be written to the table, or may be. */
  private boolean waitsForTable(LocalPod pod) {
    return table.pending() > 0 && inTable.contains(pod.rule());
  }

  @Override
  public Progress translationProgress() {
    Optional<Condition> obstacle =
        dataplane.conditions().stream()
            .filter(condition -> condition.object().kind().startsWith("nft "))
            .filter(condition -> !condition.object().name().startsWith(NftFamily.BRIDGE + " "))
            .findFirst();
    if (obstacle.isPresent()) {
      return new Progress.Failed(obstacle.get());
    }
    return dataplane.drivers().stream()
            .filter(driver -> OF_RULES.contains(driver.name()))
            .allMatch(driver -> driver.pending() == 0)
        ? new Progress.Done()
        : new Progress.Pending();
  }

  @Override
  public Progress detachProgress(LocalPod pod) {
    return attachProgress(pod);
  }

  /** What the drivers say of the pod's device or of the routes to its addresses. */
  private Optional<Condition> obstacle(LocalPod pod) {
    return dataplane.conditions().stream()
        .filter(condition -> {
          String name = condition.object().name();
          return name.contains(pod.device())
              || pod.addresses().stream().anyMatch(ip -> isAbout(name, ip));
        })
        .findFirst();
  }

  private static boolean isAbout(String name, Ip ip) {
    String text = ip.toString();
    return name.equals(text) || name.startsWith(text + "/") || name.startsWith(text + " ");
  }
}
