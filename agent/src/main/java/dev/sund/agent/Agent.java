package dev.sund.agent;

import dev.sund.agent.addresses.AddressKeeper;
import dev.sund.agent.addresses.NodeAddresses;
import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.apply.ApplyState;
import dev.sund.agent.apply.DriftMonitor;
import dev.sund.agent.apply.Mailbox;
import dev.sund.agent.apply.NodeKernel;
import dev.sund.agent.apply.StrictPolicies;
import dev.sund.agent.apply.Timing;
import dev.sund.agent.bridge.BridgeMode;
import dev.sund.agent.cni.BandwidthLimits;
import dev.sund.agent.cni.BandwidthPlugin;
import dev.sund.agent.cni.CniDispatch;
import dev.sund.agent.cni.FlannelEnv;
import dev.sund.agent.cni.LimitRecord;
import dev.sund.agent.cni.NetworkKind;
import dev.sund.agent.cni.RoutedNetwork;
import dev.sund.agent.drops.DropWatch;
import dev.sund.agent.http.HttpPages;
import dev.sund.agent.local.AttachServer;
import dev.sund.agent.log.Log;
import dev.sund.agent.log.LogSink;
import dev.sund.agent.policy.PolicyConditions;
import dev.sund.agent.policy.PolicyReport;
import dev.sund.agent.seen.AskedDirectory;
import dev.sund.agent.seen.ConnectionRecorder;
import dev.sund.agent.services.ServiceWork;
import dev.sund.agent.state.Records;
import dev.sund.agent.state.StateDir;
import dev.sund.agent.state.StateException;
import dev.sund.dataplane.BandwidthLinks;
import dev.sund.dataplane.KernelFeature;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.ipam.AddressPlan;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.engine.ipam.Allocator;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.ConfigException;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.claims.ApiClaims;
import dev.sund.kube.watch.ClusterWatch;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One node's agent: makes every part, connects them, and closes them in reverse order. Several may
 * live in one process, each with its own namespace, directories and log.
 *
 * <pre>
 *   ClusterWatch ─┐                                      ┌─ HttpPages    /readyz, /metrics
 *   FactsWatch ───┼─► Mailbox ─► ApplyLoop ─► NodeKernel ┤
 *   AttachServer ─┘                            │   ▲     └─ StatusReport (socket, STATUS)
 *                                              ▼   │ DriftMonitor
 *                                             kernel
 * </pre>
 *
 * <p>What happens to packets when it ends, by {@link #close}, by a signal or by a fault: nothing.
 * The kernel's state stays as it is, and the next agent finds it again.
 *
 * <p>Ready means: the cluster's first full list is here, the pods attached before are known again,
 * and all that was wanted then has been done or refused once.
 */
public final class Agent implements AutoCloseable {
  private static final Duration LOCK_WAIT = Duration.ofSeconds(10);
  private static final Duration API_PATIENCE = Duration.ofSeconds(10);
  private static final Duration CLAIM_PATIENCE = Duration.ofSeconds(3);

  /** A runtime waits for it, with a pod that is to start. */
  private static final Duration POD_PATIENCE = Duration.ofSeconds(3);

  private final AgentOptions options;
  private final long began = System.nanoTime();
  private final LogSink sink;
  private final Log log;
  private final AgentMetrics metrics = new AgentMetrics();
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private final ApplyLoop loop;
  private final AttachCalls calls;
  private final BridgeMode bridges;
  private final AddressKeeper keeper;
  private final CniDispatch dispatch;
  private final ServiceWork services;
  private final NodeWatches watches;
  private final DropWatch drops;
  private final ConnectionRecorder recorder;
  private final HttpPages pages;
  private final List<Condition> stateConditions;
  private final Optional<CniInstall> cniInstall;
  private final ApiStanding api;
  private final Optional<FabricWatch> fabricWatch;
  private final Instant started = Instant.now();
  private volatile Optional<Instant> firstReady = Optional.empty();

  private Agent(AgentOptions options, LogSink sink)
      throws AgentException, IOException, InterruptedException {
    this.options = options;
    this.sink = sink;
    this.log = sink.log("agent");
    boolean complete = false;
    try {
      List<Condition> missing = Capabilities.missing();
      if (!missing.isEmpty()) {
        throw new AgentException(missing.getFirst());
      }
      for (KernelFeature feature : KernelFeature.youngerThan(System.getProperty("os.version"))) {
        log.warn(
            "this kernel is older than something that Sund uses; its distribution may have it",
            "kernel",
            System.getProperty("os.version"),
            "what",
            feature);
      }
      NetNs namespace = options.netns().map(NetNs::at).orElseGet(NetNs::ofProcess);
      ApiServer server =
          Kubeconfig.read(options.kubeconfig(), options.apiServers(), System.getenv());
      if (options.apiServers().isEmpty() && Files.isDirectory(options.kubeconfig())) {
        log.warn(
            "the API server is reached by its Service, which somebody else must provide",
            "server",
            server,
            "remedy",
            "give --api-server (apiServers in deploy/kustomization.yaml)");
      }
      this.api = new ApiStanding(server, InstantSource.system(), log);
      Mailbox mailbox = new Mailbox();
      this.services =
          new ServiceWork(
              options.node(),
              namespace,
              options.fabric().services(),
              options.proxyConfig(),
              mailbox::put,
              () -> unhealthy().isEmpty(),
              metrics,
              sink.log("services"));
      opened.push(services);
      services.follow();

      this.watches = new NodeWatches(options, namespace, metrics, sink);

      // The network is waited for longest, so the watch begins first.
      ClusterWatch.Means means = ClusterWatch.Means.ordinary();
      if (options.netns().isPresent()) {
        means = means.with(new NamespaceDialer(namespace));
      }
      ApiObjects objects = new ApiObjects(server, means.dialer(), POD_PATIENCE);
      opened.push(objects);
      PodDirectory directory =
          new PodDirectory(options.node(), objects::read, mailbox::put, System::nanoTime);
      String bootId =
          options.bootId().isPresent() ? options.bootId().get() : StateDir.bootIdOfThisKernel();
      AddressPlan plan = new AddressPlan(options.node());
      AddressSettings addressSettings = options.fabric().addresses();
      Allocator allocator = allocator(server, means.dialer(), bootId);
      NodeAddresses addresses = new NodeAddresses(allocator, plan, addressSettings);
      ClusterWatch watch =
          ClusterWatch.start(
              server,
              means,
              event -> {
                directory.see(event);
                addresses.see(event);
                services.see(event);
                watches.see(event);
                if (event instanceof ClusterEvent.Synced) {
                  api.answered();
                }
                mailbox.put(event);
              },
              api::told);
      opened.push(watch);

      StateDir state = StateDir.open(options.stateDir(), bootId, LOCK_WAIT);
      opened.push(state);
      StateDir.Restored restored = state.restore();
      this.stateConditions = restored.conditions();
      stateConditions.forEach(
          condition -> log.error("state is unreadable", "what", condition.toString()));

      NodeKernel kernel =
          NodeKernel.open(
              namespace,
              options.stateDir(),
              stateConditions.isEmpty(),
              metrics,
              sink.log("kernel"));
      opened.push(kernel);
      this.loop =
          new ApplyLoop(
              mailbox,
              new ProgramCompiler(options.node(), options.fabric()),
              kernel.drivers(),
              Timing.DEFAULT,
              metrics,
              sink);
      this.calls = new AttachCalls(loop, state, metrics, this::firstNotReady, sink.log("attach"));
      calls.restore(restored.attachments());
      this.bridges =
          new BridgeMode(
              namespace,
              options.stateDir(),
              StateDir.bootIdOfThisKernel(),
              new ProgramTranslation(loop, this::firstNotReady),
              kernel::reap,
              sink.log("bridge"));
      opened.push(bridges);
      bridges.restore();
      List<NetworkKind> kinds = new ArrayList<>(bridges.kinds());
      addresses.follow(calls::attachments);
      Records<LimitRecord> limited =
          new Records<>(
              options.stateDir().resolve("limited"),
              StateDir.bootIdOfThisKernel(),
              LimitRecord::parse);
      limited
          .restore()
          .conditions()
          .forEach(condition -> log.error("limits are unreadable", "what", condition.toString()));
      BandwidthLimits limits =
          new BandwidthLimits(new BandwidthLinks(namespace), limited, sink.log("bandwidth"));
      opened.push(limits);
      kernel.tellLinks(limits::renew);
      limits.renewAll();
      kinds.add(new RoutedNetwork(calls, addresses, directory, limits));
      kinds.add(new BandwidthPlugin(limits));
      this.dispatch = new CniDispatch(namespace, kinds);
      this.keeper =
          AddressKeeper.of(
              allocator,
              plan,
              addresses,
              calls,
              state,
              kernel::linkNames,
              metrics,
              sink.log("addresses"),
              mailbox::put);
      keeper.restore(restored);
      opened.push(keeper);
      keeper.start();
      FactsWatch facts =
          new FactsWatch(
              kernel::facts,
              seen -> {
                services.see(seen);
                mailbox.put(new ClusterEvent.FactsSeen(seen));
              },
              sink.log("facts"));
      opened.push(facts);
      opened.push(kernel.listen(heard(facts, watch)));
      facts.start();
      options
          .flannelEnv()
          .map(FlannelEnv::new)
          .ifPresent(env -> loop.tellSubnets(subnet -> env.write(subnet, log)));
      Dialer dialer = means.dialer();
      AddressAnnotations annotations =
          new AddressAnnotations(
              options.node(),
              () -> new ApiObjects(server, dialer, CLAIM_PATIENCE),
              sink.log("node"));
      opened.push(annotations);
      loop.tellNotices(annotations);
      annotations.start();
      this.drops = new DropWatch(namespace, loop, metrics.policy, sink.log("drops"));
      opened.push(drops);
      loop.tellPolicies(drops::policiesInForce);
      StrictPolicies strict = loop.strict(namespace, sink.log("strict"));
      opened.push(strict);
      opened.push(loop);
      Consumer<Boolean> beStrict =
          on -> {
            mailbox.put(new ClusterEvent.StrictSet(on));
            strict.set(on);
          };
      beStrict.accept(options.fabric().strict());
      loop.start();
      this.fabricWatch =
          options
              .fabricFile()
              .map(file ->
                  new FabricWatch(
                      file,
                      options.fabric(),
                      changed -> beStrict.accept(changed.strict()),
                      sink.log("fabric")));
      fabricWatch.ifPresent(opened::push);
      fabricWatch.ifPresent(FabricWatch::start);

      opened.push(watches);
      watches.start(loop, () -> notReady().isEmpty());
      this.recorder =
          new ConnectionRecorder(
              new ConnectionRecorder.Means(
                  namespace,
                  options.node().text(),
                  new AskedDirectory(loop),
                  InstantSource.system(),
                  metrics,
                  sink.log("seen")),
              options.stateDir(),
              this::notRecorded);
      opened.push(recorder);
      this.pages = pages(namespace, options.http());
      opened.push(pages);
      services.serve(loop, address -> pages(namespace, address));
      Files.createDirectories(
          options.runDir(),
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
      AgentCalls answers =
          new AgentCalls(
              options,
              namespace,
              loop,
              this::status,
              calls::attachments,
              dispatch,
              keeper,
              services,
              drops,
              recorder,
              metrics,
              sink,
              log);
      opened.push(AttachServer.start(options.runDir(), answers, sink.log("attach")));
      // After the socket: who reads that the agent is ready may send it pods at once.
      pages.start();
      // A node without a range is ready for others' pods, and yet none must be sent here.
      BooleanSupplier podsMayCome = () -> notReady().isEmpty() && addresses.mayGive();
      NodeCondition condition =
          new NodeCondition(
              options.node(),
              new ApiObjects(server, means.dialer(), API_PATIENCE),
              podsMayCome,
              InstantSource.system(),
              NodeCondition.Pace.DEFAULT,
              sink.log("node"));
      opened.push(condition);
      condition.start();
      ApiObjects reports = new ApiObjects(server, means.dialer(), API_PATIENCE);
      Log policyLog = sink.log("policy");
      PolicyConditions ofAll =
          PolicyConditions.of(
              options.node(), reports, loop, metrics.policy::statusesWritten, policyLog);
      PolicyReport policies =
          new PolicyReport(
              options.node(),
              reports,
              this::policies,
              InstantSource.system(),
              ofAll::look,
              policyLog);
      opened.push(policies);
      policies.start();
      recorder.resume();
      this.cniInstall = options.cni().map(files -> new CniInstall(files, podsMayCome, log));
      cniInstall.ifPresent(opened::push);
      cniInstall.ifPresent(CniInstall::start);
      complete = true;
    } catch (ConfigException e) {
      throw new AgentException(e.condition());
    } catch (StateException e) {
      throw new AgentException(e.condition());
    } catch (KernelException.Denied e) {
      throw new AgentException(
          new Condition(
              Reason.CAPABILITY_MISSING,
              new ObjectRef("process", "agent"),
              "",
              "The kernel denies: " + e.getMessage() + ".",
              "Run it as root, or grant " + e.capability().label() + "."));
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  /**
   * Starts an agent; returns when its socket and pages answer, mostly before it is ready.
   *
   * @throws AgentException when it cannot be started, with the reason and what to do
   * @throws IOException when the kernel or the file system refuses
   */
  public static Agent start(AgentOptions options)
      throws AgentException, IOException, InterruptedException {
    return start(options, LogSink.toStandardError("node=" + options.node().text(), options.log()));
  }

  /** As {@link #start(AgentOptions)}, with a log of the caller's. */
  public static Agent start(AgentOptions options, LogSink sink)
      throws AgentException, IOException, InterruptedException {
    return new Agent(options, sink);
  }

  /** Where the pages listen. */
  public InetSocketAddress http() {
    return pages.address();
  }

  /** Why the agent is not ready, a sentence each; empty when it is. */
  public List<String> notReady() {
    List<String> reasons = new ArrayList<>(unhealthy());
    ApplyState state = loop.state();
    state.hold().ifPresent(reasons::add);
    if (state.hold().isPresent()) {
      api.problem().ifPresent(lost -> reasons.add(lost.object() + ": " + lost.text()));
    }
    if (state.hold().isEmpty() && !state.settledOnce()) {
      reasons.add("The node's program is not in the kernel yet.");
    }
    if (reasons.isEmpty() && firstReady.isEmpty()) {
      firstReady = Optional.of(Instant.now());
      double seconds = (System.nanoTime() - began) / 1e9;
      metrics.startSeconds.set(seconds);
      log.info("ready", "millis", Math.round(seconds * 1000), "pods", calls.attachments().size());
      Thread.ofVirtual()
          .name(Marks.THREAD_PREFIX + "tidy")
          .start(HeapTidying.ofJvm(() -> loop.state().pending() == 0)::run);
    }
    metrics.ready.set(reasons.isEmpty() ? 1 : 0);
    return reasons;
  }

  /** Why the agent should be started anew, a sentence each; empty when it works. */
  public List<String> unhealthy() {
    return loop.health().map(List::of).orElse(List.of());
  }

  /** The node's one status object. */
  public Map<String, Object> status() {
    List<String> reasons = notReady();
    return StatusReport.of(
        new StatusReport.Process(options.node(), AgentVersion.text(), started, firstReady),
        reasons,
        new StatusReport.Surroundings(
            api.report(),
            keeper.ranges(),
            metrics.repaired(),
            bridges.containers(),
            cniInstall.map(CniInstall::report).orElse(Map.of()),
            services.report(),
            watches.checksReport(),
            watches.peersReport(),
            watches.findings()),
        loop.summary(),
        loop.state(),
        ownConditions(),
        calls.attachments());
  }

  /** Ends the agent; the kernel's state stays as it is. Idempotent. */
  @Override
  public void close() {
    while (!opened.isEmpty()) {
      try {
        opened.pop().close();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      } catch (Exception e) {
        log.warn("not closed in order", "error", e);
      }
    }
  }

  /** Gives the node's addresses; with pools over a connection of its own to the API server. */
  private Allocator allocator(ApiServer server, Dialer dialer, String bootId) {
    InstantSource clock = InstantSource.system();
    return switch (options.fabric().addresses().mode()) {
      case KUBERNETES -> Allocator.ofNode(options.node(), Allocator.COOL_DOWN, clock);
      case POOLS -> {
        ApiObjects objects = new ApiObjects(server, dialer, CLAIM_PATIENCE);
        opened.push(objects);
        yield Allocator.ofPools(
            options.node(),
            bootId,
            UUID.randomUUID().toString(),
            new ApiClaims(objects),
            Allocator.COOL_DOWN,
            clock,
            System::nanoTime);
      }
    };
  }

  /** What becomes of what the kernel says. */
  private DriftMonitor.Listener heard(FactsWatch facts, ClusterWatch watch) {
    return new DriftMonitor.Listener() {
      @Override
      public void drifted(Set<String> parts, String cause) {
        loop.dirty(parts, cause);
      }

      @Override
      public void factsMayHaveChanged() {
        facts.look();
      }

      @Override
      public void addressGone() {
        watch.redial();
      }
    };
  }

  private HttpPages pages(NetNs namespace, InetSocketAddress address) throws IOException {
    HttpPages.Source source =
        new HttpPages.Source() {
          @Override
          public List<String> unhealthy() {
            return Agent.this.unhealthy();
          }

          @Override
          public List<String> notReady() {
            return Agent.this.notReady();
          }
        };
    Log pagesLog = sink.log("http");
    Runnable refresh = this::refreshMetrics;
    if (options.netns().isEmpty()) {
      return new HttpPages(address, source, refresh, metrics, pagesLog);
    }
    return namespace.call(() -> new HttpPages(address, source, refresh, metrics, pagesLog));
  }

  /** Gauges that are computed when somebody asks. */
  private void refreshMetrics() {
    List<String> reasons = notReady();
    metrics.ready.set(reasons.isEmpty() ? 1 : 0);
    metrics.bridgedContainers.set(bridges.containers());
    metrics.apiReachable.set(api.problem().isEmpty() ? 1 : 0);
    keeper.measure();
    try {
      drops.measure();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    metrics.conditions.clear();
    StatusReport.all(loop.state(), ownConditions())
        .forEach(condition -> metrics.conditions.labelValues(condition.reason().code()).inc());
    watches
        .findings()
        .forEach(one -> metrics.conditions.labelValues(String.valueOf(one.get("reason"))).inc());
  }

  private List<Condition> ownConditions() {
    List<Condition> own = new ArrayList<>(stateConditions);
    own.addAll(bridges.conditions());
    own.addAll(watches.conditions());
    api.problem().ifPresent(own::add);
    cniInstall.ifPresent(install -> own.addAll(install.conditions()));
    fabricWatch.ifPresent(watch -> own.addAll(watch.conditions()));
    own.addAll(keeper.conditions());
    own.addAll(services.conditions());
    own.addAll(recorder.conditions());
    return own;
  }

  private List<String> notRecorded() {
    return bridges.containers() == 0
        ? List.of()
        : List.of(
            "what containers send to others on their bridge, where br_netfilter is off: "
                + bridges.containers()
                + " are on bridges");
  }

  private PolicyReport.State policies() {
    return PolicyReport.State.of(loop.enforcedPolicies(), loop.enforcedGenerations(), loop.state());
  }

  private Optional<String> firstNotReady() {
    return notReady().stream().findFirst();
  }
}
