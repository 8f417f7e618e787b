"""The compression dictionary for short texts: strings that are common in conversations.

It is part of the storage format (`codec.SHORT`): no byte of `DICTIONARY` may change after a release; a better
dictionary needs another first byte. References to its end take the fewest bits, so the most frequent strings come
last.
"""

from __future__ import annotations

_FIELDS = (
    "additional_kwargs response_metadata usage_metadata input_tokens output_tokens total_tokens completion_tokens "
    "prompt_tokens token_usage finish_reason model_name model_provider system_fingerprint service_tier logprobs "
    "input_token_details output_token_details cache_read cache_creation reasoning audio tool_calls invalid_tool_calls "
    "tool_call_id tool_use tool_result function arguments parameters properties required description image_url "
    "mime_type base64 block_type additional_properties raw_data status success error message content string integer "
    "boolean number object array items results query limit offset page count total created_at updated_at user_id "
    "customer_id order_id account_id session_id request_id timestamp https://www. http:// .example.com/ .html .json "
    ".py true, false, null, "
)
_WORDS = (
    "afternoon weekend january february march april june july august september october november december monday "
    "tuesday wednesday thursday friday saturday sunday spring summer autumn winter minutes hours seconds weeks months "
    "yesterday tomorrow tonight morning evening midnight north south west street city country kitchen window "
    "table hotel flight airport ticket train restaurant dinner breakfast coffee vegetarian allergic doctor medicine "
    "hospital health insurance school university student teacher language english family mother father brother sister "
    "daughter friend children birthday holiday travel passport weather temperature degrees kilometers "
    "python javascript typescript function variable parameter argument returns exception traceback undefined library "
    "package import module directory repository branch commit merge deploy production staging container kubernetes "
    "docker cluster memory storage database postgres redis server client endpoint request response timeout retry "
    "connection network latency cache queue worker thread process permission password username authentication token "
    "configuration environment default version release upgrade update install download upload document image video "
    "attached screenshot column table index query schema migration transaction backup restore performance security "
    "customer invoice receipt payment refund discount price amount balance account transfer delivery shipment "
    "shipping tracking address warehouse product quality purchase subscription cancel cancelled confirmed "
    "pending returned delivered received department company manager employee meeting schedule appointment calendar "
    "deadline project proposal contract agreement budget estimate report review draft summary presentation marketing "
    "campaign research analysis strategy policy requirement feature design interface button option settings "
    "approximately immediately especially particularly unfortunately apparently eventually recently currently "
    "usually probably actually definitely certainly finally exactly simply quickly directly separately "
    "information experience development management communication organization government community environment "
    "situation relationship opportunity responsibility decision conversation question answer problem solution issue "
    "reason change result effect example detail difference important necessary available possible different similar "
    "specific general another several following previous current original correct incorrect missing complete "
    "completed included including according regarding considering whether although however therefore otherwise "
    "instead unless until since during before after between against within without through across around under "
    "above below behind beside among toward again always never often sometimes already still almost enough rather "
    "quite perhaps maybe together everything anything something nothing everyone someone anyone himself yourself "
    "themselves because think thought know knows known understand remember remind forget believe suggest recommend "
    "explain describe compare consider decide choose prefer expect require provide include contain support create "
    "build write written reading called calling asked asking looking found finding trying tried using used working "
    "works worked going getting giving given taking taken making coming leave started starting stopped stopping "
    "changed changing check checked checking confirm ensure follow continue happen happened keep keeping show shows "
    "send sent open opened close closed wait waiting move moved first second third last next same small large early "
    "later earlier better best worse right wrong sure ready great good thanks today people person place point number "
    "three four five seven eight nine hundred thousand million percent dollars euros euro total average "
)
_PHRASES = (
    "Sorry about that. Let me check that for you. Here is a summary of Here are the Based on the In order to "
    "Could you please Can you help me with I would like to I want to I need to How do I How can I What is the "
    "Please let me know if you have any questions. Is there anything else I can help you with? Thank you for your "
    "You're welcome! Sure, I can help with that. I'd be happy to help. I don't think I'm not sure if "
    "It looks like it seems that there is there are this is that is would be could be should be will be have been "
    "has been as well as such as for example, at the moment of the in the to the on the for the and the with the from "
    "the that the is the at the by the about the will would could should have their there which where when what your "
    "other than then them they these those this that with from have been were would the "
)
COMMON = (_FIELDS + _WORDS + _PHRASES).encode()

_FREQUENCIES = bytes.fromhex(
    "37a430ec8de601194110b0335107300cd3ba822008f2b6b10d820b0c24eab732651091c437b284c81292be087c3efa5131c6"
    "f5383338087f747ec9d67693bd32ca926b3f65771084c603f3000014128d89e77349bd1b0004e056dad08af31cc8508c210e"
    "00050000c80000000000600600000000000004ed6926e4d948cf724e21656466000000000000000100000004000000080000"
    "00"
)
"""Zstandard's entropy tables for letters, lengths and distances, trained on our own documents and generated JSON
rows with `COMMON`. A text of 300 characters would need some 40 bytes for its own."""
DICTIONARY = _FREQUENCIES + COMMON
