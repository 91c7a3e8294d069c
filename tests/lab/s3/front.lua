-- What rules of haproxy cannot say.

-- haproxy's own log is written after the answer was sent, and `log stdout` takes O_APPEND from its file.
local log = assert(io.open("../fault.log", "a"))
log:setvbuf("no")

core.register_action("note", { "http-res" }, function(txn)
    log:write(("%s %s %s %d\n"):format(txn:get_var("txn.method"), txn:get_var("txn.path"),
        txn:get_var("txn.query") or "-", txn.f:status()))
end)

-- Answers that are errors. `http-request return` would leave the body unread and reset the connection, so that the client
-- may never see the answer.
local REGION = "eu-central-1"
local AGAIN = "We encountered an internal error. Please try again."

local ANSWERS = {
    ["slowdown"] = { 503, "SlowDown", "Please reduce your request rate." },
    ["put-500"] = { 500, "InternalError", AGAIN },
    ["500"] = { 500, "InternalError", AGAIN },
    ["503"] = { 503, "ServiceUnavailable", "Service is unable to handle request." },
    ["abort-403"] = { 403, "AccessDenied", "Access Denied" },
    ["deny-kms"] = { 403, "AccessDenied", "Access Denied" },
    ["deny-lock"] = { 403, "AccessDenied", "Access Denied" },
    ["deny-tags"] = { 403, "AccessDenied", "Access Denied" },
    ["region"] = { 301, "PermanentRedirect", "The bucket is in another region.", header = REGION },
    ["region-malformed"] = {
        400, "AuthorizationHeaderMalformed",
        "The authorization header is malformed; the region '%s' is wrong; expecting '" .. REGION .. "'",
        xml = "<Region>" .. REGION .. "</Region>",
    },
}

core.register_service("refuse", "http", function(applet)
    local answer = ANSWERS[applet:get_var("txn.fault")]
    if applet:get_var("txn.expect") then
        applet:add_header("connection", "close") -- nobody can tell whether the body comes all the same
    else
        while #applet:receive(65536) > 0 do end
    end
    local body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>' .. answer[2] .. "</Code><Message>" ..
        answer[3]:format(applet:get_var("txn.region")) .. "</Message>" .. (answer.xml or "") ..
        "<RequestId>LABFAULT</RequestId></Error>"
    applet:set_status(answer[1])
    applet:add_header("content-type", "application/xml")
    applet:add_header("content-length", tostring(#body))
    if answer.header then
        applet:add_header("x-amz-bucket-region", answer.header)
    end
    applet:start_response()
    applet:send(body)
end)
