package dev.sund.lab;

import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.Manifests;
import dev.sund.lab.control.ControlServer;
import dev.sund.lab.matrix.Matrix;
import dev.sund.lab.matrix.QuestionPlan;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.SceneReader;
import dev.sund.lab.topology.LabHome;
import dev.sund.model.Condition;
import dev.sund.model.Severity;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One run of {@code sund lab}: reads the manifests, stands the cluster up, prints the matrix, and
 * unless it is to be done once, answers other terminals until it is interrupted. Whatever happens,
 * nothing is left behind.
 */
public final class Lab {
  /** All agree. */
  public static final int AGREE = 0;

  /** Some differ. */
  public static final int DIFFER = 1;

  /** The manifests cannot be used. */
  public static final int BAD_INPUT = 2;

  /** The lab could not be run. */
  public static final int COULD_NOT_RUN = 3;

  /**
   * Before the path of a file, among the files of {@code apply} and {@code delete}: that it is a
   * copy of what the asker got on standard input, and so called in findings.
   */
  public static final String STANDARD_INPUT_COPY = "-=";

  private static final long CLEANING_SECONDS = 20;

  /** How often it is looked whether somebody has changed objects. */
  private static final long FOLLOW_MILLIS = 200;

  private final LabOptions options;
  private final Console console;
  private final BlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
  private final CountDownLatch cleaned = new CountDownLatch(1);
  private final AtomicBoolean ending = new AtomicBoolean();
  private final Thread runner = Thread.currentThread();

  private Lab(LabOptions options, Console console) {
    this.options = options;
    this.console = console;
  }

  /**
   * Runs a lab on the calling thread, which lives as long as the lab.
   *
   * @param standardInput read when {@code -} is among the files
   * @return the exit code
   */
  public static int run(LabOptions options, Console console, InputStream standardInput) {
    return new Lab(options, console).run(standardInput);
  }

  private int run(InputStream standardInput) {
    Manifests manifests = ManifestFiles.read(options.files(), standardInput);
    List<Finding> errors = SceneReader.beyondRepair(manifests);
    manifests.findings().stream()
        .filter(finding ->
            !finding.isError() || errors.contains(finding) || SceneReader.isOfPolicy(finding))
        .forEach(finding -> console.err().println(finding));
    if (!errors.isEmpty()) {
      return BAD_INPUT;
    }
    Scene scene;
    try {
      scene = SceneReader.read(manifests, options.nodes());
    } catch (IllegalArgumentException e) {
      console.say(e.toString());
      return BAD_INPUT;
    }
    List<Condition> wrong = SceneCheck.errors(scene);
    wrong.forEach(condition -> console.err().println(condition));
    if (wrong.stream().anyMatch(condition -> condition.severity() == Severity.ERROR)) {
      return BAD_INPUT;
    }
    if (!scene.invented().isEmpty()) {
      console.say("the files leave open, and so invented: " + summary(scene.invented()));
    }
    Thread hook = Thread.ofPlatform().name("sund-lab-end").unstarted(this::endedFromOutside);
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return stand(scene);
    } catch (IOException e) {
      console.say("could not run: " + e.getMessage());
      return COULD_NOT_RUN;
    } catch (InterruptedException _) {
      return ending.get() ? AGREE : COULD_NOT_RUN;
    } finally {
      cleaned.countDown();
      if (!ending.get()) {
        Runtime.getRuntime().removeShutdownHook(hook);
      }
    }
  }

  private static String summary(List<String> invented) {
    int shown = 6;
    String text = String.join("; ", invented.subList(0, Math.min(shown, invented.size())));
    return invented.size() <= shown ? text : text + "; and " + (invented.size() - shown) + " more";
  }

  /** Ctrl-C or SIGTERM: the lab's thread stops waiting, and cleans up before the process ends. */
  private void endedFromOutside() {
    ending.set(true);
    runner.interrupt();
    try {
      cleaned.await(CLEANING_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private int stand(Scene scene) throws IOException, InterruptedException {
    for (String swept : LabHome.sweep()) {
      console.say(swept);
    }
    long begun = System.nanoTime();
    try (LabHome home = LabHome.create()) {
      LabCluster cluster =
          LabCluster.stand(
              scene, home, options.agents().apply(scene.nodes().size()), options.deploy(), console);
      try {
        Matrix matrix = cluster.matrix(cluster.questions(options.everyPair()));
        console.done(
            "stands and probed: "
                + scene.pods().size()
                + " pods on "
                + scene.nodes().size()
                + " nodes",
            begun);
        QuestionPlan.leftOut(scene.pods().size(), options.everyPair()).ifPresent(console::say);
        console.print(matrix, options.everyPair(), options.json());
        if (options.once()) {
          return matrix.agrees() ? AGREE : DIFFER;
        }
        return serve(cluster, home, matrix);
      } finally {
        // An interrupt has done its work; left set it would break the cleaning.
        boolean interrupted = Thread.interrupted();
        long cleaning = System.nanoTime();
        cluster.close();
        console.done("removed everything", cleaning);
        if (interrupted) {
          runner.interrupt();
        }
      }
    } finally {
      Thread.interrupted();
    }
  }

  private int serve(LabCluster cluster, LabHome home, Matrix first)
      throws IOException, InterruptedException {
    LabCommands commands = new LabCommands(cluster, console, options, first);
    try (ControlServer server =
        ControlServer.start(
            home.controlSocket(), (words, out) -> onOwnThread(() -> commands.run(words, out)))) {
      console.say(
          "stands until Ctrl-C; from another terminal: sund lab"
              + " status|probe|trace FROM TO|apply|delete|roll|exec|fault ... ("
              + server.path()
              + ")");
      console.say(
          "kubectl works too: KUBECONFIG=" + home.kubeconfig() + " kubectl get pods -A -o wide");
      cluster.follow(console::say);
      while (true) {
        Runnable job = work.poll(FOLLOW_MILLIS, TimeUnit.MILLISECONDS);
        if (job != null) {
          job.run();
        } else if (cluster.hasChanged()) {
          cluster.follow(console::say);
        }
      }
    }
  }

  /** A thing to do that ends with an exit code. */
  @FunctionalInterface
  private interface Job {
    int run() throws Exception;
  }

  /** Hands a job from another terminal to the lab's thread, and waits for its exit code. */
  private int onOwnThread(Job job) throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    List<Integer> code = new ArrayList<>(List.of(COULD_NOT_RUN));
    work.add(() -> {
      try {
        code.set(0, job.run());
      } catch (InterruptedException _) {
        runner.interrupt();
      } catch (Exception e) {
        console.say("a command from another terminal failed: " + e);
      } finally {
        done.countDown();
      }
    });
    done.await();
    return code.getFirst();
  }

  /** The lab that stands, to talk to: the only one, or the one with this id. */
  public static Optional<LabHome> standing(Optional<String> id) throws IOException {
    return LabHome.standing().stream()
        .filter(home -> id.isEmpty() || home.id().equals(id.get()))
        .findFirst();
  }
}
