package dev.sund.agent;

import dev.sund.agent.addresses.AddressKeeper;
import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.cni.CniDispatch;
import dev.sund.agent.drops.DropWatch;
import dev.sund.agent.local.Answer;
import dev.sund.agent.local.LocalCalls;
import dev.sund.agent.log.Log;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.agent.seen.ConnectionRecorder;
import dev.sund.agent.services.ServiceWork;
import dev.sund.agent.trace.TraceCalls;
import dev.sund.engine.cluster.Attachment;
import dev.sund.kernel.NetNs;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Who answers what is asked at the agent's socket.
 *
 * @param tells the node's status object
 * @param attached the pods that have a network
 */
record AgentCalls(
    AgentOptions options,
    NetNs namespace,
    ApplyLoop loop,
    Supplier<Map<String, Object>> tells,
    Supplier<Collection<Attachment>> attached,
    CniDispatch dispatch,
    AddressKeeper keeper,
    ServiceWork services,
    DropWatch dropped,
    ConnectionRecorder recorder,
    AgentMetrics metrics,
    LogSink sink,
    Log log)
    implements LocalCalls {
  @Override
  public Answer cni(Map<String, Object> request) throws InterruptedException {
    return dispatch.serve(request);
  }

  @Override
  public Map<String, Object> status() {
    return tells.get();
  }

  @Override
  public Answer ipam(Map<String, Object> request) throws InterruptedException {
    return keeper.ipam(request);
  }

  @Override
  public Answer service(Map<String, Object> request) throws InterruptedException {
    return services.answer(request);
  }

  @Override
  public Answer trace(Map<String, Object> request) throws InterruptedException {
    return new TraceCalls(
            options.node(), options.fabric(), loop, namespace, attached, metrics, sink.log("trace"))
        .answer(request);
  }

  @Override
  public Answer drops(Map<String, Object> request) throws InterruptedException {
    return dropped.answer(request);
  }

  @Override
  public Answer record(Map<String, Object> request) throws InterruptedException {
    return recorder.answer(request);
  }

  @Override
  public boolean logLevel(String part, String text) {
    Optional<LogLevel> level = LogLevel.tryParse(text);
    level.ifPresent(to -> {
      if (part.isEmpty()) {
        sink.level(to);
      } else {
        sink.level(part, to);
      }
      log.info("log level set", "level", to.label(), "of", part.isEmpty() ? "all" : part);
    });
    return level.isPresent();
  }
}
